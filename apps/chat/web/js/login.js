// The dialog that asks for a name; the browser remembers it.

import { byId } from './dom.js';
import { words } from './i18n.js';
import { recall, remember } from './memory.js';

/** @type {HTMLDialogElement} */ const dialog = byId('login');
/** @type {HTMLInputElement} */ const input = byId('name');
const complaint = byId('login-complaint');
/** @type {Promise<string> | undefined} while the dialog is open */ let answer;

// Escape would leave a page that can do nothing.
dialog.addEventListener('cancel', (event) => event.preventDefault());

/** The name of the last visit, "" for a new visitor. */
export const rememberedName = () => recall('name', '');

/**
 * Asks until there is a name; who asks meanwhile waits for the same one.
 * @param {string} [why] what was wrong with the last one
 * @returns {Promise<string>}
 */
export function askName(why = '') {
  complaint.textContent = why;
  answer ??= ask();
  return answer;
}

/** @returns {Promise<string>} */
function ask() {
  input.value = rememberedName();
  input.placeholder = words().guest;
  dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const name = input.value.trim() || words().guest;
        answer = undefined;
        remember('name', name);
        resolve(name);
      },
      { once: true },
    );
  });
}
