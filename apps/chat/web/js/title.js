// The window's title: the room, and how many messages came while nobody looked.

let name = document.title;
let unread = 0;

function show() {
  document.title = unread > 0 ? `(${unread}) ${name}` : name;
}

/** @param {string} roomName */
export function setTitle(roomName) {
  name = `${roomName} · Gatehouse`;
  show();
}

export function countUnread() {
  if (!document.hidden && document.hasFocus()) return;
  unread++;
  show();
}

function look() {
  if (document.hidden) return;
  unread = 0;
  show();
}

addEventListener('focus', look);
document.addEventListener('visibilitychange', look);
