// Writing a message: Enter sends it, Ctrl+Enter breaks the line.

import { byId } from './dom.js';
import { words } from './i18n.js';
import { Picker } from './picker.js';

const CONTENT_MAX_BYTES = 4096; // as apps/chat/events.c

export class Composer {
  /** @type {HTMLTextAreaElement} */ #text = byId('text');
  #complaint = byId('complaint');
  #onSend;

  /** @param {(content: string) => boolean} onSend false: it could not be sent */
  constructor(onSend) {
    this.#onSend = onSend;
    new Picker((name) => this.#insert(`[${name}]`));
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener('input', () => this.#fit());
    this.#text.addEventListener('keydown', (event) => this.#onKey(event));
  }

  focus() {
    this.#text.focus();
  }

  /** @param {string} text empty to take the last one back */
  complain(text) {
    this.#complaint.textContent = text;
  }

  /** While an input method composes, Enter belongs to it. @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) this.#insert('\n');
    else this.#send();
  }

  /** @param {string} text */
  #insert(text) {
    this.#text.setRangeText(text, this.#text.selectionStart, this.#text.selectionEnd, 'end');
    this.#fit();
    this.focus();
  }

  #send() {
    const content = this.#text.value;
    if (content.trim() === '') return;
    if (new TextEncoder().encode(content).length > CONTENT_MAX_BYTES) {
      this.complain(words().tooLong);
      return;
    }
    if (!this.#onSend(content)) {
      this.complain(words().notConnected);
      return;
    }
    this.complain('');
    this.#text.value = '';
    this.#fit();
    this.focus();
  }

  /** As high as its lines, up to what the style sheet allows. */
  #fit() {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
