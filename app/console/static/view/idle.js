// When nobody is at work with the page.

const QUIET = 60_000; // milliseconds without a sign of anybody
const SIGNS = ["keydown", "pointerdown", "wheel", "input"];

/**
 * Calls `then` once nobody has touched the page for a while and `isBusy()` is false. Many pages that begin to wait at
 * once do not end at once. Returns the function that gives it up.
 */
export function whenIdle(isBusy, then, quiet = QUIET) {
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(end, quiet * (1 + Math.random()));
  };
  const end = () => {
    if (isBusy()) return wait();
    stop();
    then();
  };
  const stop = () => {
    clearTimeout(timer);
    for (const sign of SIGNS) document.removeEventListener(sign, wait, true);
  };
  for (const sign of SIGNS) document.addEventListener(sign, wait, { capture: true, passive: true });
  wait();
  return stop;
}
