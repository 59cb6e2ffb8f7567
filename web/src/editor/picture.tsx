/** What is drawn on: the newest picture again and again, or one that stays. */

import { useEffect, useState } from "preact/hooks";

import { stillAddress } from "../api";
import { LivePicture } from "../ui/live";
import { t } from "../words";

const EVERY = 400;

interface Props {
  camera: string;
  name: string;
  frozen: boolean;
  aspect: (value: number) => void;
}

/** Stills carry no zones, other than the live picture. As long as there are none, the live picture has to do: a camera that
 *  has just come gives the first one only after a while. */
export function EditorPicture({ camera, name, frozen, aspect }: Props) {
  const [address, setAddress] = useState<string | null>(null);
  const [fallback, setFallback] = useState(false);
  useEffect(() => {
    if (frozen && (fallback || address !== null)) return;
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const load = (): void => {
      const next = new Image();
      next.onload = () => {
        if (over) return;
        failures = 0;
        setFallback(false);
        setAddress(next.src);
        aspect(next.naturalWidth / next.naturalHeight);
        if (!frozen) timer = setTimeout(load, document.hidden ? EVERY * 10 : EVERY);
      };
      next.onerror = () => {
        if (over) return;
        failures += 1;
        if (failures >= 2) setFallback(true);
        timer = setTimeout(load, EVERY * (failures >= 2 ? 10 : 4));
      };
      next.src = `${stillAddress(camera)}?at=${Date.now()}`;
    };
    load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [camera, frozen, fallback]);
  if (fallback) return <LivePicture camera={camera} label={name} aspect={aspect} frozen={frozen} />;
  return address === null ? <p class="veil">{t().editor.picture.none}</p> : <img class="still" src={address} alt={name} draggable={false} />;
}
