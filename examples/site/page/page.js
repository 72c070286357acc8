// The page of a site that pushes: it gives the site the client_id of its connection, and shows what comes.

const state = document.getElementById('state');

async function post(path, value) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

function show(notice) {
  const line = document.createElement('li');
  line.textContent = `${notice.from}: ${notice.text}`;
  document.getElementById('notices').append(line);
}

/** Connects, and again when the connection was lost: each has a client_id of its own. */
function connect(gateway) {
  const socket = new WebSocket(gateway);
  socket.addEventListener('message', async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'notice') show(message);
    if (message.type !== 'init') return;
    try {
      const { name } = await post('bind', { client_id: message.client_id });
      state.textContent = `signed in as ${name}`;
    } catch (error) {
      state.textContent = error.message;
    }
  });
  socket.addEventListener('close', () => {
    state.textContent = 'connection lost';
    setTimeout(connect, 1000, gateway);
  });
}

document.getElementById('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    const { gateway } = await post('login', { name: form.elements.name.value });
    form.hidden = true;
    document.getElementById('say').hidden = false;
    connect(gateway);
  } catch (error) {
    state.textContent = error.message;
  }
});

document.getElementById('say').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { to, text } = event.target.elements;
  try {
    await post('say', { to: to.value, text: text.value });
    text.value = '';
  } catch (error) {
    state.textContent = error.message;
  }
});
