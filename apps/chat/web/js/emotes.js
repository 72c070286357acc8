// The emotes of Weibo by name: [微笑], [doge]… written as text, shown as small drawings.

import { face } from './faces.js';
import { makeSvg } from './svg.js';
import { THINGS } from './things.js';

/**
 * Names in the order of the picker, with what is drawn: the parts of a face, or "=" and a thing.
 * @type {ReadonlyArray<readonly [string, string]>}
 */
const LIST = [
  ['微笑', 'dots smile'],
  ['可爱', 'happy smile blush'],
  ['太开心', 'happy grin blush'],
  ['鼓掌', 'happy grin claps'],
  ['嘻嘻', 'happy teeth'],
  ['哈哈', 'squint grin'],
  ['笑cry', 'happy grin joy'],
  ['挤眼', 'wink smirk'],
  ['馋嘴', 'happy tongue drool'],
  ['黑线', 'lines flat gloom'],
  ['汗', 'dots flat sweat'],
  ['挖鼻', 'lines flat nosePick'],
  ['哼', 'glare pout puff'],
  ['怒', 'red glare frown'],
  ['委屈', 'worried wave tear'],
  ['可怜', 'puppy pout'],
  ['失望', 'worried frown'],
  ['悲伤', 'worried wail tear'],
  ['泪', 'closed wail streams'],
  ['允悲', 'happy smile joy facepalm'],
  ['害羞', 'closed smile glow'],
  ['污', 'sly smirk blush'],
  ['爱你', 'wink kiss heart'],
  ['亲亲', 'closed kiss glow'],
  ['色', 'hearts grin'],
  ['舔屏', 'wide lick'],
  ['憧憬', 'stars smile blush'],
  ['doge', '=doge'],
  ['喵喵', '=cat'],
  ['二哈', '=husky'],
  ['坏笑', 'sly teeth'],
  ['阴险', 'sly smirk'],
  ['笑而不语', 'closed smile'],
  ['偷笑', 'happy hush blush'],
  ['酷', 'shades smirk'],
  ['并不简单', 'doubting flat chin'],
  ['思考', 'up flat chin'],
  ['疑问', 'dots oh question'],
  ['费解', 'doubting wave'],
  ['晕', 'swirls wave'],
  ['衰', 'bruise frown'],
  ['骷髅', '=skull'],
  ['嘘', 'dots oh finger'],
  ['闭嘴', 'dots zipped'],
  ['傻眼', 'startled flat'],
  ['吃惊', 'startled oh'],
  ['吐', 'green squint vomit'],
  ['感冒', 'lines wave thermometer'],
  ['生病', 'worried mask'],
  ['拜拜', 'dots smile wave5'],
  ['鄙视', 'left flat thumbDown'],
  ['白眼', 'up flat'],
  ['左哼哼', 'left grumble'],
  ['右哼哼', 'right grumble'],
  ['抓狂', 'crosses zigzag anger'],
  ['怒骂', 'red glare curses'],
  ['打脸', 'worried wave slap'],
  ['顶', 'happy grin bump'],
  ['互粉', 'happy smile twoHearts'],
  ['钱', 'coins grin'],
  ['哈欠', 'closed yawn tear'],
  ['困', 'lines wave zzz'],
  ['睡', 'closed oh zzz'],
  ['吃瓜', 'dots melon'],
  ['抱抱', 'happy smile blush hug'],
  ['摊手', 'lines flat shrug'],
  ['跪了', '=kneel'],
  ['心', '=heart'],
  ['伤心', '=brokenHeart'],
  ['鲜花', '=flower'],
  ['赞', '=thumbUp'],
  ['good', '=thumbUp'],
  ['弱', '=thumbDown'],
  ['耶', '=victory'],
  ['ok', '=okHand'],
  ['NO', '=no'],
  ['来', '=beckon'],
  ['拳头', '=fist'],
  ['加油', '=comeOn'],
  ['握手', '=shake'],
  ['作揖', '=bow'],
  ['熊猫', '=panda'],
  ['兔子', '=rabbit'],
  ['猪头', '=pig'],
  ['草泥马', '=alpaca'],
  ['囧', '=jiong'],
  ['给力', '=geili'],
  ['威武', '=weiwu'],
  ['萌', '=meng'],
  ['喜', '=xi'],
  ['帅', '=shuai'],
  ['蛋糕', '=cake'],
  ['礼物', '=gift'],
  ['蜡烛', '=candle'],
  ['干杯', '=cheers'],
  ['话筒', '=microphone'],
  ['音乐', '=music'],
  ['围观', '=eye'],
  ['围脖', '=scarf'],
  ['太阳', '=sun'],
  ['月亮', '=moon'],
  ['下雨', '=rain'],
  ['微风', '=breeze'],
  ['浮云', '=cloud'],
  ['雪', '=snow'],
  ['沙尘暴', '=sandstorm'],
  ['钟', '=clock'],
  ['足球', '=football'],
  ['照相机', '=camera'],
  ['绿丝带', '=ribbon'],
  ['飞机', '=plane'],
];

const DRAWINGS = new Map(LIST);

/** All names, as the picker shows them. */
export const emoteNames = LIST.map(([name]) => name);

/** @param {string} name */
export const isEmote = (name) => DRAWINGS.has(name);

/**
 * The drawing of an emote. Its text stays what was written, for screen readers and for copying.
 * @param {string} name one that isEmote() knows
 * @returns {HTMLSpanElement}
 */
export function makeEmote(name) {
  const recipe = DRAWINGS.get(name) ?? '';
  const span = document.createElement('span');
  span.className = 'emote';
  span.title = `[${name}]`;
  span.setAttribute('role', 'img');
  span.setAttribute('aria-label', name);
  span.dataset.emote = name;
  span.append(makeSvg(recipe.startsWith('=') ? THINGS[recipe.slice(1)] : face(recipe)));
  return span;
}
