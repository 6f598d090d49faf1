// A conversation as Google's client for Node leads it, over gRPC and REST. Usage: dialogflow.js PORT
const assert = require('assert');
const dialogflow = require('@google-cloud/dialogflow').v2;
const { grpc } = require('google-gax');
const { PassThroughClient } = require('google-auth-library');
const port = Number(process.argv[process.argv.length - 1]);
const place = { apiEndpoint: '127.0.0.1', port, projectId: 'home' };
const ways = {
  grpc: { ...place, sslCreds: grpc.credentials.createInsecure() },
  rest: { ...place, fallback: true, protocol: 'http', authClient: new PassThroughClient() },
};
(async () => {
  for (const [way, options] of Object.entries(ways)) {
    const sessions = new dialogflow.SessionsClient(options);
    const contexts = new dialogflow.ContextsClient(options);
    const intents = new dialogflow.IntentsClient(options);
    const session = sessions.projectAgentSessionPath('home', 'js-' + way);
    const say = async (text, languageCode) => {
      const [answer] = await sessions.detectIntent({ session, queryInput: { text: { text, languageCode } } });
      return answer.queryResult;
    };
    const tellOf = async (name, languageCode) => {
      const [answer] = await sessions.detectIntent({ session, queryInput: { event: { name, languageCode } } });
      return answer.queryResult;
    };
    for (const [event, language, greeting] of [
      ['WELCOME', 'ko', '안녕하세요.'], ['WELCOME', 'en-US', 'Hello.'], ['FACEBOOK_WELCOME', 'en', 'Hello.'],
    ]) {
      const greeted = await tellOf(event, language);
      assert.deepStrictEqual([greeted.fulfillmentText, greeted.queryText], [greeting, event]);
      assert.deepStrictEqual([greeted.intent.displayName, greeted.intent.isFallback], ['dialog.greet', false]);
    }
    assert.strictEqual((await tellOf('BUTTON', 'ko')).intent.isFallback, true);
    const parent = 'projects/home/agent';
    const [all] = await intents.listIntents({ parent });
    const known = all.find(intent => intent.displayName === 'time.query');
    assert.deepStrictEqual(all.find(intent => intent.displayName === 'dialog.greet').events, ['WELCOME']);
    await assert.rejects(intents.createIntent({ parent, intent: { displayName: 'x' } }), /read, never written/);
    await assert.rejects(intents.deleteIntent({ name: known.name }), /read, never written/);
    const told = await say('지금 몇 시야?', 'ko');
    assert.strictEqual(told.intent.name, known.name);
    assert.strictEqual(told.intent.displayName, 'time.query');
    assert.ok(told.fulfillmentText.startsWith('지금은 '), told.fulfillmentText);
    assert.strictEqual((await say('타이머 맞춰 줘', 'ko')).allRequiredParamsPresent, false);
    const started = await say('십오 분', 'ko');
    assert.strictEqual(started.action, 'timer.start');
    assert.strictEqual(started.parameters.fields.duration.structValue.fields.amount.numberValue, 900);
    assert.strictEqual((await say('흐물렁', 'ko')).intent.isFallback, true);
    const name = session + '/contexts/mood';
    await contexts.createContext({ parent: session, context: { name, lifespanCount: 5 } });
    const [listed] = await contexts.listContexts({ parent: session });
    assert.ok(listed.some(context => context.name === name), JSON.stringify(listed));
    await contexts.deleteAllContexts({ parent: session });
    await assert.rejects(contexts.getContext({ name }), /there is no context/);
    await assert.rejects(say('salut', 'fr'), /is none of/);
    await Promise.all([sessions.close(), contexts.close(), intents.close()]);
  }
  console.log('all well');
})().catch(error => { console.error(error); process.exit(1); });
