// Faces put together from parts: a colour, eyes, a mouth and whatever else.

import { INK, dot, fill, line, oval } from './svg.js';

/** @typedef {import('./svg.js').Shape} Shape */

const WHITE = '#fffdf7';
const BLUE = '#4ba8ea';
const PINK = '#ff8a7a';
const RED = '#e5484d';
const DARK = '#6b2413';
const TONGUE = '#f0616d';
const SKIN = '#ffc93c';
const SKIN_EDGE = '#e39b16';

/** @param {string} color @param {string} shade @returns {Shape[]} */
const head = (color, shade) => [
  dot(12, 12, 10.6, shade),
  oval(12, 11.4, 10.6, 9.95, color),
];

/** A heart around its middle. @param {number} x @param {number} y @param {number} s */
const heart = (x, y, s, color = RED) =>
  fill(
    `M${x} ${y + s}C${x - 2.2 * s} ${y - 0.3 * s} ${x - 1.1 * s} ${y - 1.5 * s} ${x} ${y - 0.4 * s}` +
      `C${x + 1.1 * s} ${y - 1.5 * s} ${x + 2.2 * s} ${y - 0.3 * s} ${x} ${y + s}z`,
    color,
  );

/** @param {number} x @param {number} y @param {number} s */
const star = (x, y, s, color = '#fff3b0') =>
  fill(
    `M${x} ${y - s}l${0.3 * s} ${0.7 * s} ${0.7 * s} ${0.3 * s} ${-0.7 * s} ${0.3 * s} ${-0.3 * s} ${0.7 * s}` +
      ` ${-0.3 * s} ${-0.7 * s} ${-0.7 * s} ${-0.3 * s} ${0.7 * s} ${-0.3 * s}z`,
    color,
  );

/** A drop with its point on top. @param {number} x @param {number} y @param {number} s */
const drop = (x, y, s, color = BLUE) =>
  fill(`M${x} ${y - 1.4 * s}c${0.9 * s} ${1.1 * s} ${s} ${1.5 * s} ${s} ${1.9 * s}a${s} ${s} 0 0 1 ${-2 * s} 0` +
    `c0 ${-0.4 * s} ${0.1 * s} ${-0.8 * s} ${s} ${-1.9 * s}z`, color);

/** A small fist or mitten. @param {number} x @param {number} y @param {number} r @returns {Shape[]} */
const hand = (x, y, r) => [dot(x, y, r + 0.45, SKIN_EDGE), dot(x, y, r, SKIN)];

/** White eyes that look somewhere. @param {number} dx @param {number} dy @param {number} r */
const looking = (dx, dy, r = 1.15) => [
  oval(8.3, 10, 2.3, 2.5, WHITE),
  oval(15.7, 10, 2.3, 2.5, WHITE),
  dot(8.3 + dx, 10 + dy, r),
  dot(15.7 + dx, 10 + dy, r),
];

const dots = [oval(8.4, 10, 1.25, 1.6, INK), oval(15.6, 10, 1.25, 1.6, INK)];
const browsIn = line('M6.3 6.9l3.7 1.6M17.7 6.9l-3.7 1.6');
const browsOut = line('M6 8.2l3.2-1.7M18 8.2l-3.2-1.7', INK, 1.2);

/** @type {Record<string, Shape[]>} */
const PARTS = {
  // heads
  yellow: head('#ffd75e', '#f2b52f'),
  red: head('#ff8f6b', '#e5623f'),
  green: head('#b9d76a', '#8fb23c'),
  grey: head('#d9d4c7', '#b4ad9c'),
  pink: head('#ffc7a8', '#f29b78'),

  // eyes
  dots,
  happy: [line('M6 10.6q2.3-3.4 4.6 0M13.4 10.6q2.3-3.4 4.6 0', INK, 1.6)],
  closed: [line('M6 9.8q2.3 2.4 4.6 0M13.4 9.8q2.3 2.4 4.6 0', INK, 1.5)],
  lines: [line('M6.2 10h4.2M13.6 10h4.2', INK, 1.7)],
  wink: [oval(8.4, 10, 1.25, 1.6, INK), line('M13.4 10.2q2.3-2.6 4.6 0', INK, 1.6)],
  wide: looking(0, 0),
  startled: looking(0, 0, 0.7),
  puppy: [...looking(0, 0.2, 1.75), dot(7.7, 9.5, 0.6, WHITE), dot(15.1, 9.5, 0.6, WHITE), browsOut],
  up: looking(0, -1.3),
  left: [...looking(-1.1, 0), line('M6 7.3h4.6M13.4 7.3h4.6', INK, 1.2)],
  right: [...looking(1.1, 0), line('M6 7.3h4.6M13.4 7.3h4.6', INK, 1.2)],
  glare: [...dots, browsIn],
  sly: [line('M6.2 8.6l4.2 1.2M17.8 8.6l-4.2 1.2', INK, 1.4), dot(8.7, 10.9, 1), dot(15.5, 10.9, 1)],
  worried: [...dots, browsOut],
  doubting: [...dots, line('M6.2 7.9h4M13.8 6.9q2-1.8 4.2-.4', INK, 1.2)],
  hearts: [heart(8.1, 9.9, 2.05), heart(15.9, 9.9, 2.05)],
  stars: [dot(8.2, 10, 2.6, INK), dot(15.8, 10, 2.6, INK), star(8.2, 10, 2.4), star(15.8, 10, 2.4)],
  crosses: [line('M6.6 8.4l3.2 3.2M9.8 8.4l-3.2 3.2M14.2 8.4l3.2 3.2M17.4 8.4l-3.2 3.2', INK, 1.5)],
  squint: [line('M6.4 8.4l3.6 1.7-3.6 1.7M17.6 8.4l-3.6 1.7 3.6 1.7', INK, 1.5)],
  swirls: [
    line('M8.4 10.2a.8.8 0 1 1 .8-.8 1.7 1.7 0 1 1-3 1M15.8 10.2a.8.8 0 1 1 .8-.8 1.7 1.7 0 1 1-3 1', INK, 1.1),
  ],
  coins: [
    dot(8.2, 10, 2.5, '#3f9b52'), dot(15.8, 10, 2.5, '#3f9b52'),
    line('M7.2 8.8l1 1.2 1-1.2M8.2 10v1.7M7.2 10.5h2M14.8 8.8l1 1.2 1-1.2M15.8 10v1.7M14.8 10.5h2', WHITE, 0.8),
  ],
  shades: [
    fill('M4 7.6h16l-.5 2.4a3.4 3.4 0 0 1-6.7-.3h-1.6a3.4 3.4 0 0 1-6.7.3z', '#2b2a33'),
    line('M6.4 9l1.6-.6M15.2 9l1.6-.6', '#8d8b99', 0.8),
  ],

  // mouths
  smile: [line('M8 14.4q4 3.8 8 0', INK, 1.5)],
  grin: [fill('M6.9 13.2h10.2a5.1 5.1 0 0 1-10.2 0z', DARK), fill('M9 17.3a4 4 0 0 1 6 0 5 5 0 0 1-6 0z', TONGUE)],
  teeth: [fill('M6.9 13.4h10.2a5.1 4.6 0 0 1-10.2 0z', WHITE), line('M6.9 13.4h10.2a5.1 4.6 0 0 1-10.2 0zM12 13.6v4', INK, 0.9)],
  flat: [line('M8.6 15.6h6.8', INK, 1.5)],
  frown: [line('M8.2 16.8q3.8-3.6 7.6 0', INK, 1.5)],
  smirk: [line('M8.6 15.4q4.6 1.6 7.2-1.9', INK, 1.5)],
  pout: [line('M10 16.2q2-1.9 4 0', INK, 1.5)],
  oh: [oval(12, 16, 1.7, 2.1, DARK)],
  yawn: [oval(12, 15.8, 3.1, 3.5, DARK), oval(12, 17.6, 2, 1.4, TONGUE)],
  wail: [fill('M8 18q0-4.6 4-4.6t4 4.6z', DARK), fill('M9.6 18q2.4-2 4.8 0z', TONGUE)],
  kiss: [line('M11.4 13.7q2 .5.6 1.5 1.7.8-.4 1.9', RED, 1.5)],
  tongue: [line('M8 14.2q4 3.2 8 0', INK, 1.5), fill('M12.2 15.7q2.4.1 2.8-.9l.5 2a1.6 1.6 0 0 1-3.1.6z', TONGUE)],
  lick: [fill('M7.4 13.6h9.2a4.6 4.3 0 0 1-9.2 0z', DARK), fill('M10 15.2h4v3.6a2 2 0 0 1-4 0z', TONGUE)],
  wave: [line('M7.8 15.7q1.05-1.6 2.1 0t2.1 0 2.1 0 2.1 0', INK, 1.4)],
  zigzag: [line('M7.6 16l1.5-1.5 1.5 1.5 1.5-1.5 1.5 1.5 1.5-1.5 1.2 1.3', INK, 1.3)],
  zipped: [line('M8 15.6h8', '#8b8794', 1.8), line('M9.2 14.6v2M11 14.6v2M12.8 14.6v2', '#5e5a66', 0.8), dot(16.4, 15.6, 1.2, '#8b8794')],
  curses: [fill('M6.4 14h11.2v4.2H6.4z', '#2b2a33'), line('M7.9 15l1.6 2.2M9.5 15l-1.6 2.2M11 16.1h2M12 15.1v2M14.6 17.2l1.8-2.2', WHITE, 0.8)],
  vomit: [fill('M9 14.6h6l.9 7.2q-3.9 1.8-7.8 0z', '#7cb518'), fill('M8.6 13.6h6.8v1.8H8.6z', DARK)],
  mask: [fill('M5.4 13q6.6-2.6 13.2 0l-.6 4.6q-6 3.6-12 0z', '#e8f3fb'), line('M5.4 13.2L2.6 11.6M18.6 13.2l2.8-1.6M8 15h8M8.2 16.9h7.6', '#a7c6dc', 0.8)],
  grumble: [line('M8.6 16.4q1.7-2.4 3.4-.6 1.7-1.8 3.4.6', INK, 1.4)],

  // further things
  blush: [oval(5.6, 13.6, 1.8, 1.1, PINK), oval(18.4, 13.6, 1.8, 1.1, PINK)],
  glow: [oval(6.2, 13.4, 2.6, 1.7, PINK), oval(17.8, 13.4, 2.6, 1.7, PINK)],
  sweat: [drop(19, 6.4, 1.8)],
  tear: [drop(6.9, 14.4, 1.25)],
  joy: [drop(4.3, 12.6, 1.7), drop(19.7, 12.6, 1.7)],
  streams: [fill('M6.9 11.2h2.6v9.2q-1.5.1-2.6-1zM14.5 11.2h2.6v8.2q-1.1 1.1-2.6 1z', '#6dbdf2')],
  drool: [drop(16.2, 18.2, 1.2, '#7cc7f5')],
  gloom: [fill('M12 1.4a10.6 10.6 0 0 1 9.2 5.3H2.8A10.6 10.6 0 0 1 12 1.4z', '#5d6b8a'), line('M13 4v3.6M15.4 4v4.4M17.8 4.8v3.4', '#2f3a55', 0.9)],
  heart: [heart(19, 16.4, 2.5)],
  twoHearts: [heart(3.8, 5.2, 2), heart(20.2, 5.2, 2)],
  question: [line('M18.2 3.6q.2-2.2 2.2-2t1.6 2.2q-.3 1-1.6 1.6v1', BLUE, 1.3), dot(20.4, 8, 0.75, BLUE)],
  zzz: [line('M16.4 5.4h3.2l-3.2 3.4h3.2M20.4 1.6h2.2l-2.2 2.4h2.2', '#5b7cd6', 1.1)],
  anger: [line('M17.4 4.8q1.6-.2 1.6-1.8M22.4 4.8q-1.6-.2-1.6-1.8M17.4 6.6q1.6.2 1.6 1.8M22.4 6.6q-1.6.2-1.6 1.8', RED, 1.2)],
  puff: [oval(3.6, 16.6, 2.2, 1.3, '#e9edf3'), oval(20.4, 16.6, 2.2, 1.3, '#e9edf3')],
  slap: [oval(17.6, 13.4, 2.7, 2.3, '#ff7a66'), line('M15.9 12.6l3.4.6M15.9 14.4l3.4-.4', RED, 0.8)],
  bruise: [oval(8.4, 10.2, 2.9, 2.7, '#8c7aa9'), oval(8.4, 10, 1.25, 1.6, INK), line('M15.2 6.2l3 1.6M17.6 5.6l-1.4 2.8', '#fff', 1.5)],
  thermometer: [line('M14.6 16l5.2-3.4', '#f4f4f4', 2), line('M14.6 16l2.4-1.6', RED, 1)],
  finger: [line('M12 14.2v5.4', SKIN_EDGE, 3), line('M12 14.2v5.4', SKIN, 2.1), ...hand(12, 20.4, 2.4)],
  nosePick: [...hand(15.4, 18.6, 2.7), line('M13.6 16.8l-1.4-3.2', SKIN_EDGE, 2.4), line('M13.6 16.8l-1.4-3.2', SKIN, 1.6)],
  chin: [...hand(8.6, 20.2, 2.7), line('M9.6 18.6l3.6-.9', SKIN_EDGE, 2.4), line('M9.6 18.6l3.6-.9', SKIN, 1.6)],
  hush: [fill('M5.4 18.2q.4-3.2 3.8-3.4l7 .4q1.5.4.9 1.9l-3.2.6 2.8.3q1 .9 0 1.9l-2.6.3q1.4 1-.2 1.9l-4.6.2q-3.6-.3-3.9-4.1z', SKIN_EDGE), fill('M6 18.2q.5-2.6 3.4-2.8l6.7.4q.9.2.6 1l-3.8.9 3.2.5q.5.5 0 .9l-3.2.3 1.6.9q.2.4-.5.5l-4 .1q-3.6-.1-4-2.7z', SKIN)],
  wave5: [...hand(20, 15.8, 2.6), line('M18.6 13.6l-.7-2M20 13v-2.2M21.5 13.6l.7-1.9', SKIN_EDGE, 1.5), line('M23 18.6q.6-.8.6-2', '#b9b2a4', 0.8)],
  claps: [...hand(9.6, 19.8, 2.6), ...hand(14.4, 19.8, 2.6), line('M12 15.6v-1M8.6 16l-.6-.8M15.4 16l.6-.8', SKIN_EDGE, 1)],
  hug: [...hand(4.6, 18.4, 2.8), ...hand(19.4, 18.4, 2.8)],
  shrug: [...hand(2.8, 17, 2.4), ...hand(21.2, 17, 2.4), line('M1.6 14.8l-.6-1.4M3.2 14.6v-1.6M22.4 14.8l.6-1.4M20.8 14.6v-1.6', SKIN_EDGE, 1.2)],
  thumbDown: [...hand(19.4, 16.4, 2.7), line('M19.4 18.4v3.2', SKIN_EDGE, 2.4), line('M19.4 18.4v3.2', SKIN, 1.5)],
  facepalm: [fill('M5.2 3.8l2.1-.6 1.6 3.2-.6-4 2-.3 1 4 .6-4.1 2 .2-.2 4.2 1.9-3.4 1.7.8-1.6 5.2q-.8 3.8-4 4.1t-5-2.9z', SKIN_EDGE), fill('M6 4.2l1.1-.3 2.2 4.4-.3-5.4 1-.2 1.3 5.2.7-5.2 1 .1-.1 5.4 2.4-4.4.8.4-1.7 5q-.7 3.1-3.3 3.3t-4-2.6z', SKIN)],
  melon: [fill('M4.6 15.4h14.8a7.4 7 0 0 1-14.8 0z', '#3d9a50'), fill('M5.8 15.4h12.4a6.2 5.6 0 0 1-12.4 0z', '#fdf3e1'), fill('M6.5 15.4h11a5.5 4.9 0 0 1-11 0z', '#f2545b'), line('M9.4 17v.5M12 18v.5M14.6 17v.5', INK, 0.9)],
  brow: [line('M13.6 6.4q2.2-2.2 4.6-.2', INK, 1.3)],
  bump: [line('M7.4 4.6l2-3.2M12 3.6V.8M16.6 4.6l-2-3.2', RED, 1.3)],
};

/**
 * The shapes of a face: "dots smile blush" on a yellow head, unless a part names another one.
 * @param {string} recipe names of parts
 * @returns {Shape[]}
 */
export function face(recipe) {
  const names = recipe.split(' ');
  const heads = ['red', 'green', 'grey', 'pink'];
  const color = names.find((name) => heads.includes(name)) ?? 'yellow';
  const parts = names.filter((name) => !heads.includes(name));
  return [color, ...parts].flatMap((name) => PARTS[name]);
}
