// A device as the package mqtt makes one, by TCP and WebSocket. Usage: mqtt.js MQTT_PORT WEB_PORT DEVICE SECRET
const mqtt = require('mqtt');
const [port, web, device, secret] = process.argv.slice(-4);
const talk = (url, protocolVersion) => new Promise((resolve, reject) => {
  const name = `${url.split(':')[0]}-${protocolVersion}`;
  const client = mqtt.connect(url, {
    protocolVersion, clientId: device, username: device, password: secret, reconnectPeriod: 0, clean: true,
  });
  const late = setTimeout(() => reject(new Error(`${name}: no answer`)), 120000);
  client.on('error', reject);
  client.on('connect', async () => {
    await client.subscribeAsync(`device/${device}/response`, { qos: 1 });
    const event = { messageId: name, eventType: 'text', data: { text: '오늘 며칠이야?' } };
    await client.publishAsync(`device/${device}/event`, JSON.stringify(event), { qos: 1 });
  });
  client.on('message', (topic, payload, packet) => {
    const told = JSON.parse(payload);
    if (told.payload.turnId !== name) return;
    clearTimeout(late);
    if (packet.qos !== 1 || told.type !== 'DIALOG_RESPONSE' || told.payload.intent !== 'date.query') {
      reject(new Error(payload.toString()));
    }
    client.end(false, {}, resolve);
  });
});
const refused = url => new Promise((resolve, reject) => {
  const client = mqtt.connect(url, { clientId: device, username: device, password: 'guess', reconnectPeriod: 0 });
  client.on('connect', () => reject(new Error('a wrong secret opened the door')));
  client.on('error', () => client.end(true, {}, resolve));
});
(async () => {
  for (const url of [`mqtt://127.0.0.1:${port}`, `ws://127.0.0.1:${web}/mqtt`]) {
    for (const version of [4, 5]) await talk(url, version);
    await refused(url);
  }
  console.log('all well');
})().catch(error => { console.error(error); process.exit(1); });
