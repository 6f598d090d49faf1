// A device without a secret as the package mqtt makes one, by WebSocket. Usage: mqtt_nobody.js WEB_PORT
const mqtt = require('mqtt');
const [web] = process.argv.slice(-1);
const talk = protocolVersion => new Promise((resolve, reject) => {
  const url = `ws://127.0.0.1:${web}/mqtt`;
  const client = mqtt.connect(url, { protocolVersion, clientId: 'porch', reconnectPeriod: 0, clean: true });
  client.on('error', reject);
  client.on('connect', async () => {
    await client.subscribeAsync('device/porch/note', { qos: 1 });
    await client.publishAsync('device/porch/note', 'hello', { qos: 1 });
  });
  client.on('message', (topic, payload) => {
    if (payload.toString() !== 'hello') reject(new Error(payload.toString()));
    client.end(false, {}, resolve);
  });
});
(async () => {
  for (const version of [4, 5]) await talk(version);
  console.log('all well');
})().catch(error => { console.error(error); process.exit(1); });
