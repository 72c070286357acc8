// Narrow screens: rooms and members slide in from the sides.

import { byId } from './dom.js';

const PANES = [
  { button: byId('show-rooms'), pane: byId('rooms-pane') },
  { button: byId('show-members'), pane: byId('members-pane') },
];

/** @param {HTMLElement} [pane] which one to show; none closes both */
function show(pane) {
  for (const one of PANES) {
    const isShown = one.pane === pane;
    const hadFocus = one.pane.classList.contains('is-open') && one.pane.contains(document.activeElement);
    one.pane.classList.toggle('is-open', isShown);
    one.button.setAttribute('aria-expanded', String(isShown));
    if (isShown) /** @type {HTMLElement | null} */ (one.pane.querySelector('a, button:not(:disabled)'))?.focus();
    else if (hadFocus) one.button.focus();
  }
  byId('veil').classList.toggle('is-open', pane !== undefined);
}

export const closeDrawers = () => show();

for (const { button, pane } of PANES) {
  button.addEventListener('click', () => show(pane.classList.contains('is-open') ? undefined : pane));
}
byId('veil').addEventListener('click', closeDrawers);
addEventListener('keydown', (event) => event.key === 'Escape' && closeDrawers());
