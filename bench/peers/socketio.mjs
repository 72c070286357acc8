// npm's socket.io as a peer of the benchmark: join, publish and echo as events.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
const { Server } = createRequire(process.cwd() + '/')('socket.io');

const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
io.on('connection', (socket) => {
  socket.on('join', (room) => socket.join(room));
  socket.on('publish', (room, payload) => io.to(room).emit('m', payload));
  socket.on('echo', (payload) => socket.emit('m', payload));
});
http.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 }, () => console.log('ready', http.address().port));
