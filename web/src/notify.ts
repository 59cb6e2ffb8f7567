/** Sound and desktop notification of new alerts, both only where somebody asked for them. */

import { signal } from "@preact/signals";

import type { AlertEvent } from "./api/types";
import { rank } from "./live/alerts";
import { address, go } from "./route";
import { recall, remember } from "./store";
import { t } from "./words";

export const sound = signal(recall("sound") === "on");
export const desktop = signal(recall("desktop") === "on" && typeof Notification !== "undefined" && Notification.permission === "granted");
export const denied = signal(false);

let audio: AudioContext | null = null;

export function setSound(on: boolean): void {
  sound.value = on;
  remember("sound", on ? "on" : "off");
  if (on) beep(0);
}

export async function setDesktop(on: boolean): Promise<void> {
  denied.value = false;
  if (on && (typeof Notification === "undefined" || (await Notification.requestPermission()) !== "granted")) {
    denied.value = true;
    return;
  }
  desktop.value = on;
  remember("desktop", on ? "on" : "off");
}

/** One soft tone for minor, more and higher ones for what is worse. */
function beep(level: number): void {
  audio ??= new AudioContext();
  const start = audio.currentTime;
  for (let i = 0; i <= Math.max(0, level); i += 1) {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const at = start + i * 0.22;
    tone.frequency.value = 520 + 130 * level;
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.18, at + 0.02);
    loudness.gain.linearRampToValueAtTime(0, at + 0.18);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }
}

export function announce(event: AlertEvent): void {
  if (sound.value) beep(rank(event.severity));
  if (!desktop.value || event.alert === null) return;
  const w = t();
  const alert = event.alert;
  const note = new Notification(`${event.severity === null ? "" : w.severity[event.severity]} · ${w.kind[event.kind]}`, {
    body: w.code === "zh" ? event.text.zh : event.text.en,
    tag: alert,
  });
  note.onclick = () => {
    window.focus();
    go(address("alerts", alert));
  };
}
