// What the server sends as HTML, shown without ever being parsed as HTML by the browser.
//
// The server escapes what people write and adds <br /> and <b>. Here exactly these two tags and
// entities are understood; anything else stays visible text. So the page does not have to trust a server,
// an Events.php or a message queue behind it.

import { isEmote, makeEmote } from './emotes.js';
import { words } from './i18n.js';

const ENTITIES = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#039;', "'"],
  ['&#39;', "'"],
  ['&apos;', "'"],
]);

/** Undoes htmlspecialchars(), once. @param {string} html */
export const decode = (html) =>
  html.replace(/&(?:amp|lt|gt|quot|apos|#0?39);/g, (entity) => ENTITIES.get(entity) ?? entity);

const TOKEN = /<br ?\/?>\r?\n?|<\/?b>/gi;
const INLINE = /(https?:\/\/[^\s<>"'，。；！？、（）【】“”]+)|\[([^[\]\s]{1,8})\]/gi;
const SINA_IMAGE = /^https?:\/\/(?:[\w-]+\.)+sinaimg\.cn\/\S+\.(?:jpe?g|png|gif)$/i;

/** @param {string} address */
function makeImage(address) {
  const link = makeLink(address);
  const image = document.createElement('img');
  image.className = 'picture';
  image.loading = 'lazy';
  image.referrerPolicy = 'no-referrer'; // Sina refuses pictures to pages of other sites that say so
  image.alt = words().image;
  image.src = address.replace(/^http:/i, 'https:');
  image.addEventListener('error', () => link.replaceChildren(address), { once: true });
  link.replaceChildren(image);
  link.classList.add('picture-link');
  return link;
}

/** @param {string} address */
function makeLink(address) {
  const link = document.createElement('a');
  link.href = address;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  link.textContent = address;
  return link;
}

/** An address without the punctuation that belongs to the sentence. @param {string} found */
const trimAddress = (found) => found.replace(/[.,;:!?)\]]+$/, '');

/** @param {string} text plain text @returns {(Node | string)[]} */
function makeInline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const address = match[1] && trimAddress(match[1]);
    if (!address && !isEmote(match[2])) continue;
    nodes.push(text.slice(at, match.index));
    if (address) nodes.push(SINA_IMAGE.test(address) ? makeImage(address) : makeLink(address));
    else nodes.push(makeEmote(match[2]));
    at = match.index + (address ? address.length : match[0].length);
  }
  nodes.push(text.slice(at));
  return nodes;
}

/**
 * The content of a message as nodes.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function render(html) {
  const root = document.createDocumentFragment();
  /** @type {DocumentFragment | HTMLElement} */
  let parent = root;
  let at = 0;
  const putText = (/** @type {string} */ raw) => raw && parent.append(...makeInline(decode(raw)));
  for (const token of html.matchAll(TOKEN)) {
    putText(html.slice(at, token.index));
    at = token.index + token[0].length;
    if (/^<br/i.test(token[0])) {
      parent.append(document.createElement('br'));
    } else if (token[0][1] === '/') {
      parent = root;
    } else if (parent === root) {
      parent = document.createElement('b');
      root.append(parent);
    }
  }
  putText(html.slice(at));
  return root;
}

/** Whether a message is only a few emotes, which are then shown large. @param {string} html */
export function isOnlyEmotes(html) {
  const names = [...html.matchAll(/\[([^[\]\s]{1,8})\]/g)].map((match) => match[1]);
  const rest = html.replace(/\[[^[\]\s]{1,8}\]/g, '').trim();
  return rest === '' && names.length > 0 && names.length <= 3 && names.every(isEmote);
}
