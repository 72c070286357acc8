// Finding and making elements.

/**
 * The element of that id, which index.html promises.
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return /** @type {T} */ (element);
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A colour for a name, always the same one, as an angle. @param {string} name */
export function hueOf(name) {
  let hash = 7;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 31);
  return ((hash >>> 0) % 24) * 15;
}

/** The round mark of a person. @param {string} name */
export function makeAvatar(name) {
  const letter = [...name.trim()][0] ?? '?';
  const avatar = make('span', 'avatar', letter.toUpperCase());
  avatar.setAttribute('aria-hidden', 'true');
  avatar.style.setProperty('--hue', String(hueOf(name)));
  return avatar;
}
