// The page's words in Chinese and English.

import { recall, remember } from './memory.js';

const WORDS = {
  zh: {
    tagline: '长连接聊天室',
    rooms: '房间',
    room: (/** @type {string} */ id) => `房间 ${id}`,
    members: '在线成员',
    you: '你',
    me: '你',
    changeName: '修改昵称',
    messages: '消息',
    to: '发给',
    all: '所有人',
    keys: 'Enter 发送 · Ctrl+Enter 换行',
    write: '说点什么…',
    send: '发送',
    emotes: '表情',
    welcome: '欢迎来到聊天室',
    loginNote: '起一个昵称，房间里的人会看到它。',
    yourName: '昵称',
    guest: '游客',
    enter: '进入',
    joined: (/** @type {string} */ name) => `${name} 加入了聊天室`,
    left: (/** @type {string} */ name) => `${name} 退出了`,
    connecting: '正在连接…',
    online: '已连接',
    offline: '连接已断开',
    retry: (/** @type {number} */ s) => `，${s} 秒后重连`,
    newest: (/** @type {number} */ n) => `${n} 条新消息`,
    privateTo: (/** @type {string} */ name) => `私聊 ${name}`,
    privateMark: '私聊',
    stats: (/** @type {number} */ views, /** @type {number} */ visitors) => `浏览 ${views} 次 · 访客 ${visitors} 位`,
    image: '图片',
    language: 'English',
    tooLong: '消息太长了，最多 4096 字节。',
    notConnected: '还没有连接，稍后再发。',
    errors: {
      not_here: '对方已不在这个房间。',
      not_logged_in: '请先登录。',
      bad_name: '昵称不可用，请换一个。',
      bad_room: '房间号不可用。',
      bad_content: '消息太长或为空。',
      busy: '暂时无法进入房间，稍后自动重试。',
    },
  },
  en: {
    tagline: 'Rooms over long connections',
    rooms: 'Rooms',
    room: (/** @type {string} */ id) => `Room ${id}`,
    members: 'Online',
    you: 'you',
    me: 'You',
    changeName: 'Change your name',
    messages: 'Messages',
    to: 'To',
    all: 'Everyone',
    keys: 'Enter sends · Ctrl+Enter breaks the line',
    write: 'Say something…',
    send: 'Send',
    emotes: 'Emotes',
    welcome: 'Welcome to the chat',
    loginNote: 'Choose a name. The people in the room will see it.',
    yourName: 'Name',
    guest: 'Guest',
    enter: 'Enter',
    joined: (/** @type {string} */ name) => `${name} joined`,
    left: (/** @type {string} */ name) => `${name} left`,
    connecting: 'Connecting…',
    online: 'Connected',
    offline: 'Connection lost',
    retry: (/** @type {number} */ s) => `, next try in ${s} s`,
    newest: (/** @type {number} */ n) => (n === 1 ? '1 new message' : `${n} new messages`),
    privateTo: (/** @type {string} */ name) => `Private to ${name}`,
    privateMark: 'private',
    stats: (/** @type {number} */ views, /** @type {number} */ visitors) => `Views ${views} · Visitors ${visitors}`,
    image: 'Image',
    language: '中文',
    tooLong: 'The message is too long: 4096 bytes at most.',
    notConnected: 'Not connected yet; try again in a moment.',
    errors: {
      not_here: 'That person is not in this room any more.',
      not_logged_in: 'Log in first.',
      bad_name: 'That name cannot be used; choose another one.',
      bad_room: 'That room does not exist.',
      bad_content: 'The message is empty or too long.',
      busy: 'The room cannot be entered right now; another try follows.',
    },
  },
};

const first = navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
let language = recall('language', first) === 'zh' ? 'zh' : 'en';

/** The words of the language in use; read it anew whenever something is shown. */
export const words = () => WORDS[/** @type {'zh' | 'en'} */ (language)];

/** Puts the words into the elements that name them. */
export function translatePage() {
  const all = /** @type {Record<string, any>} */ (words());
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  for (const element of document.querySelectorAll('[data-i18n]')) {
    element.textContent = all[/** @type {HTMLElement} */ (element).dataset.i18n ?? ''];
  }
  for (const [mark, attribute] of [
    ['data-i18n-label', 'aria-label'],
    ['data-i18n-title', 'title'],
    ['data-i18n-placeholder', 'placeholder'],
  ]) {
    for (const element of document.querySelectorAll(`[${mark}]`)) {
      element.setAttribute(attribute, all[element.getAttribute(mark) ?? '']);
    }
  }
}

export function switchLanguage() {
  language = language === 'zh' ? 'en' : 'zh';
  remember('language', language);
}
