// npm's ws as a peer of the benchmark: the protocol of bench/thin.c.
import { createRequire } from 'node:module';
const { WebSocketServer } = createRequire(process.cwd() + '/')('ws');

const rooms = new Map();

function join(room, socket) {
  if (!rooms.has(room)) rooms.set(room, new Set());
  rooms.get(room).add(socket);
  socket.on('close', () => rooms.get(room).delete(socket));
}

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false, backlog: 4096 });
server.on('listening', () => console.log('ready', server.address().port));
server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    const text = data.toString();
    const rest = text.slice(1);
    if (text[0] === 'e') {
      socket.send(rest);
    } else if (text[0] === 'j' || text[0] === 'u') {
      join(rest, socket);
    } else if (text[0] === 'p') {
      const bar = rest.indexOf('|');
      const payload = Buffer.from(rest.slice(bar + 1));
      for (const member of rooms.get(rest.slice(0, bar)) ?? []) member.send(payload, { binary: false });
    }
  });
});
