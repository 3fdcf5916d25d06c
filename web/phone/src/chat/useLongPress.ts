const LONG_PRESS_MS = 500;

/** Handlers for a touch that stays; iOS has no context menu event. */
export function useLongPress(action: () => void): Record<string, (event: PointerEvent) => void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    pointerdown: (event) => {
      stop();
      if (event.pointerType === 'touch') timer = setTimeout(action, LONG_PRESS_MS);
    },
    pointerup: stop,
    pointermove: stop,
    pointercancel: stop,
  };
}
