// What the browser remembers between visits. Without storage (private windows) it forgets.

/** @param {string} key @param {string} fallback */
export function recall(key, fallback) {
  try {
    return localStorage.getItem(`chat.${key}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(`chat.${key}`, value);
  } catch {
    // Nothing depends on it.
  }
}
