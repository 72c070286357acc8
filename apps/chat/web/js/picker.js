// The panel of emotes over the composer.

import { byId } from './dom.js';
import { emoteNames, makeEmote } from './emotes.js';

export class Picker {
  #panel = byId('picker');
  #button = byId('emote');
  #onPick;

  /** @param {(name: string) => void} onPick */
  constructor(onPick) {
    this.#onPick = onPick;
    this.#button.addEventListener('click', () => this.#show(Boolean(this.#panel.hidden)));
    this.#panel.addEventListener('click', (event) => this.#onClick(event));
    this.#panel.addEventListener('keydown', (event) => this.#onKey(event));
    document.addEventListener('click', (event) => {
      const target = /** @type {Node} */ (event.target);
      if (!this.#panel.contains(target) && !this.#button.contains(target)) this.#show(false);
    });
  }

  #fill() {
    if (this.#panel.childElementCount > 0) return;
    for (const name of emoteNames) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'pick';
      button.dataset.name = name;
      button.title = name;
      button.append(makeEmote(name));
      this.#panel.append(button);
    }
  }

  /** @param {boolean} isShown */
  #show(isShown) {
    if (isShown) this.#fill();
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = !isShown;
    this.#button.setAttribute('aria-expanded', String(isShown));
    if (isShown) this.#panel.querySelector('button')?.focus();
    else if (hadFocus) this.#button.focus();
  }

  /** @param {Event} event */
  #onClick(event) {
    const button = /** @type {Element} */ (event.target).closest('button');
    if (!button?.dataset.name) return;
    this.#show(false);
    this.#onPick(button.dataset.name);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const buttons = [...this.#panel.querySelectorAll('button')];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const columns = getComputedStyle(this.#panel).gridTemplateColumns.split(' ').length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === 'Escape') this.#show(false);
    if (step === undefined) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
  }
}
