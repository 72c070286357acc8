// The pictures of the chat in the documentation: a small conversation, wide and on a phone.

/**
 * @param {{visit: Function, members: Function, say: Function, bubble: Function, folder: string}} stage
 */
export async function takePictures({ visit, members, say, bubble, folder }) {
  const wide = { room: '1', viewport: { width: 1280, height: 860 } };
  const me = await visit('小安', wide);
  const phone = await visit('林夏', { room: '1', viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2, colorScheme: 'dark' });
  const others = [];
  for (const name of ['Marco', '老王', 'Yuki']) others.push(await visit(name, { room: '1' }));
  const [marco, wang, yuki] = others;
  await members(me, 5);

  await say(marco, 'Morning! Is the new gateway live? [思考]');
  await say(phone, '昨晚切过去的，两个网关、四个 worker，一个人都没掉线 [鼓掌]');
  await say(wang, '重载了三次业务代码，我这边毫无感觉 [doge]');
  await say(me, '刚把 Events.php 原样接上了，一行没改 [太开心]\n文档在这里：https://example.org/gatehouse');
  await say(yuki, '[赞][赞] 那我去吃瓜了 [吃瓜]');
  await say(yuki, '[二哈][喵喵]');
  await yuki.getByTestId('member').filter({ hasText: '小安' }).click();
  await say(yuki, '晚上一起吃饭？[干杯]');
  await bubble(me, '晚上一起吃饭').waitFor();
  await me.getByTestId('member').filter({ hasText: 'Yuki' }).click();
  await say(me, '好，老地方见 [ok]');
  await me.getByTestId('to').selectOption('all');
  await say(me, '下午三点上线庆祝，蛋糕我带 [蛋糕]');
  await bubble(phone, '下午三点').waitFor();
  for (const page of [me, phone]) {
    await page.mouse.move(0, 0);
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  }
  await me.screenshot({ path: `${folder}/chat.png` });
  await phone.screenshot({ path: `${folder}/chat-phone.png` });
  await Promise.all([me, phone, ...others].map((page) => page.context().close()));
}
