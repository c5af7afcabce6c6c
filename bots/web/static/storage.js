/** Small things that the browser keeps, in `area` ("localStorage" or "sessionStorage"); some browsers refuse it. */

/** Read what is kept; null where that is nothing, or damaged. */
export function readKept(area, key) {
  try {
    return JSON.parse(window[area].getItem(key));
  } catch {
    return null;
  }
}

export function keep(area, key, value) {
  try {
    window[area].setItem(key, JSON.stringify(value));
  } catch {
    console.warn("this browser keeps nothing");
  }
}
