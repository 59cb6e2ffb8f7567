/** The cameras as they are now, asked for every second while the page is seen. */

import { computed, signal } from "@preact/signals";

import { api } from "../api";
import type { Camera } from "../api/types";
import { zone } from "../words";
import { link } from "./alerts";

const EVERY = 1_000;
const HIDDEN = 10_000;

export const site = signal("");
export const cameras = signal<Camera[] | null>(null);
/** The last answer came; what is shown is true. */
export const heard = signal(false);
export const known = computed(() => heard.value && link.value !== "lost");

export function cameraName(id: string | null): string {
  return cameras.value?.find((camera) => camera.id === id)?.name ?? id ?? "";
}

export function pollCameras(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = new AbortController();
  const ask = async (): Promise<void> => {
    try {
      const now = await api.cameras(stop.signal);
      site.value = now.site;
      cameras.value = now.cameras;
      heard.value = true;
    } catch {
      heard.value = false;
    }
    if (!stop.signal.aborted) timer = setTimeout(() => void ask(), document.hidden ? HIDDEN : EVERY);
  };
  const wake = (): void => {
    if (document.hidden) return;
    clearTimeout(timer);
    void ask();
  };
  void ask();
  // The site's time zone is that of all times on the page.
  api
    .statistics()
    .then((day) => {
      zone.value = day.time_zone;
    })
    .catch(() => undefined);
  document.addEventListener("visibilitychange", wake);
  return () => {
    stop.abort();
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
    cameras.value = null;
    heard.value = false;
  };
}
