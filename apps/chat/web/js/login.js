// The dialog that asks for a name; the browser remembers it.

import { byId } from './dom.js';
import { words } from './i18n.js';
import { recall, remember } from './memory.js';

/** @type {HTMLDialogElement} */ const dialog = byId('login');
/** @type {HTMLInputElement} */ const input = byId('name');

// Escape would leave a page that can do nothing.
dialog.addEventListener('cancel', (event) => event.preventDefault());

/** The name of the last visit, "" for a new visitor. */
export const rememberedName = () => recall('name', '');

/**
 * Asks until there is a name.
 * @returns {Promise<string>}
 */
export function askName() {
  input.value = rememberedName();
  input.placeholder = words().guest;
  if (!dialog.open) dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const name = input.value.trim() || words().guest;
        remember('name', name);
        resolve(name);
      },
      { once: true },
    );
  });
}
