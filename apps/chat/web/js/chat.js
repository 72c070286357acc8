// The chat page: brings connection, room and views together.

import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { byId, make, makeAvatar } from './dom.js';
import { closeDrawers } from './drawers.js';
import { switchLanguage, translatePage, words } from './i18n.js';
import { askName, rememberedName } from './login.js';
import { Members } from './members.js';
import { Messages } from './messages.js';
import { Room } from './room.js';
import { countUnread, setTitle } from './title.js';

const ROOMS = ['1', '2', '3', '4'];
/** Doubts about the list are settled later in larger rooms, and not by all pages at once. */
const DOUBT_MS = 1000;
const DOUBT_PER_MEMBER_MS = 20;

/** Who was not let in knocks again after this time or twice as long; who got no answer at all, after this. */
const BUSY_MS = 3000;
const NO_ANSWER_MS = 30_000;

let name = rememberedName();
let roomId = readRoomId();
/** @type {{views: number, visitors: number} | undefined} */ let roomStats;
/** @type {import('./connection.js').State} */ let state = { state: 'connecting' };
/** The line was lost, and we are not in again. */ let isLost = false;

/** The room of the address, as in the original: ?room_id=2. */
function readRoomId() {
  return new URLSearchParams(location.search).get('room_id')?.slice(0, 64) || ROOMS[0];
}

const messages = new Messages();
const members = new Members(() => {
  closeDrawers();
  composer.focus();
});
const composer = new Composer((content) => {
  const isSent = room.myId !== '' && connection.send({
    type: 'say',
    to_client_id: members.addressee,
    to_client_name: members.addresseeName,
    content,
  });
  return isSent;
});
const room = new Room({
  onMembers: () => members.show(room.members, room.myId),
  onNotice: (notice) => {
    if (notice.kind === 'entered') onEntered();
    messages.addNotice(notice);
    showState();
  },
  onSaying: (saying) => {
    messages.addSaying(saying);
    if (!saying.isMine) countUnread();
  },
  onHistory: (sayings) => messages.addEarlier(sayings),
  onStats: (stats) => {
    roomStats = stats;
    showStats();
  },
  onDoubt: askForList,
  onError: onServerError,
});
const connection = new Connection({
  onState: (now) => {
    state = now;
    if (now.state === 'open' && !now.isResumed) logIn();
    showState();
  },
  onMessage: (message) => room.onMessage(message),
});

function logIn() {
  room.expect();
  // Numbers as the original's page sends them, so that its server groups us with its visitors.
  const id = /^[1-9]\d{0,8}$/.test(roomId) ? Number(roomId) : roomId;
  connection.send({ type: 'login', client_name: name, room_id: id, merged: true });
  knockAgain(NO_ANSWER_MS);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */ let knocking;

/** A worker that dies with our login in its hands answers nobody. @param {number} ms */
function knockAgain(ms) {
  clearTimeout(knocking);
  knocking = setTimeout(() => state.state === 'open' && room.myId === '' && logIn(), ms + Math.random() * ms);
}

function onEntered() {
  clearTimeout(knocking);
  composer.complain('');
  connection.settle();
}

/** @type {ReturnType<typeof setTimeout> | undefined} */ let listTimer;

function askForList() {
  const spread = DOUBT_MS + DOUBT_PER_MEMBER_MS * room.members.size;
  listTimer ??= setTimeout(() => {
    listTimer = undefined;
    if (!room.myId) return; // coming in brings the list
    room.expectList();
    connection.send({ type: 'list' });
  }, DOUBT_MS + Math.random() * spread);
}

/** @param {string} code @param {string} text */
function onServerError(code, text) {
  const complaint = /** @type {Record<string, string>} */ (words().errors)[code] ?? text;
  if (code === 'bad_name') {
    clearTimeout(knocking);
    changeName(complaint);
    return;
  }
  composer.complain(complaint);
  if (code === 'busy') knockAgain(BUSY_MS);
}

/** @param {string} [why] what is wrong with the one that we have */
async function changeName(why = '') {
  const before = name;
  name = await askName(why);
  showMe();
  if (why || name !== before) connection.reopen();
}

function showState() {
  const element = byId('state');
  const isIn = state.state === 'open' && room.myId !== '';
  const now = isIn ? 'open' : state.state === 'waiting' ? 'waiting' : 'connecting';
  element.dataset.state = now;
  if (now !== 'connecting') isLost = now === 'waiting';
  const said = isIn ? words().online : isLost ? words().offline : words().connecting;
  // A screen reader reads what is put there, also when it is the same. Seconds and attempts are for the eyes.
  if (byId('state-text').textContent !== said) byId('state-text').textContent = said;
  byId('retry').textContent = state.state === 'waiting' ? words().retry(state.seconds)
    : isLost ? words().connecting : '';
}

function showStats() {
  byId('stats').textContent = roomStats ? words().stats(roomStats.views, roomStats.visitors) : '';
}

function showRooms() {
  const ids = ROOMS.includes(roomId) ? ROOMS : [...ROOMS, roomId];
  byId('room-list').replaceChildren(...ids.map((id) => {
    const link = /** @type {HTMLAnchorElement} */ (make('a', 'room-link', make('span', 'hash', '#'),
      make('span', 'room-link-name', words().room(id))));
    link.href = `?room_id=${encodeURIComponent(id)}`;
    link.dataset.testid = `room-${id}`;
    if (id === roomId) link.setAttribute('aria-current', 'page');
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (id === roomId) return;
      history.pushState(null, '', link.href);
      changeRoom();
    });
    return make('li', '', link);
  }));
  byId('room-name').textContent = words().room(roomId);
  setTitle(words().room(roomId));
}

function changeRoom() {
  roomId = readRoomId();
  messages.clear();
  members.choose();
  room.forget();
  room.expect();
  roomStats = undefined;
  members.show(room.members, '');
  closeDrawers();
  showRooms();
  showStats();
  connection.reopen();
}

function showMe() {
  byId('me').replaceChildren(makeAvatar(name), make('span', 'member-name', name));
}

function showWords() {
  translatePage();
  byId('language').textContent = words().language;
  showRooms();
  showState();
  showStats();
  members.show(room.members, room.myId);
}

byId('language').addEventListener('click', () => {
  switchLanguage();
  showWords();
});
byId('me').addEventListener('click', () => changeName());
addEventListener('popstate', changeRoom);

showWords();
if (!name) name = await askName();
showMe();
composer.focus();
connection.open();
