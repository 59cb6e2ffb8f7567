/** A camera's live picture, drawn as it comes. */

import { useEffect, useRef, useState } from "preact/hooks";

import { watch } from "../live/pictures";

interface Props {
  camera: string;
  label: string;
  /** Told the picture's width over height. */
  aspect?: (value: number) => void;
  /** Stays as it is. */
  frozen?: boolean;
}

export function LivePicture({ camera, label, aspect, frozen = false }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [there, setThere] = useState(false);
  const tell = useRef(aspect);
  tell.current = aspect;
  useEffect(() => {
    if (frozen) return;
    return watch(camera, (picture) => {
      const surface = canvas.current;
      if (surface === null) return;
      if (surface.width !== picture.width || surface.height !== picture.height) {
        surface.width = picture.width;
        surface.height = picture.height;
        tell.current?.(picture.width / picture.height);
      }
      surface.getContext("2d")?.drawImage(picture, 0, 0);
      setThere(true);
    });
  }, [camera, frozen]);
  return <canvas ref={canvas} class={there ? "live" : "live empty"} role="img" aria-label={label} />;
}
