// A real identity provider for the tests: oidc-provider with the accounts and clients that a test names.
//
//   node provider.mjs <folder with node_modules> '<settings as JSON>'
//
// Settings: port (0 for a free one), clients, claims_in_token. It prints its address in one line and
// ends with its standard input. Each start makes a new signing key.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// Whoever started this reads the address and nothing else, so what the package remarks goes elsewhere.
console.log = console.info = console.error;

const [modules, text] = process.argv.slice(2);
const settings = JSON.parse(text);
const { default: Provider } = await import(pathToFileURL(join(resolve(modules), 'oidc-provider/lib/index.js')));

const accounts = new Map();
const server = createServer();
await new Promise((listening) => server.listen(settings.port, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };

const provider = new Provider(issuer, {
  clients: settings.clients,
  jwks: { keys: [key] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: !settings.claims_in_token,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => accounts.has(id) && { accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) },
  // Whoever has logged in has consented.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const callback = provider.callback();
server.on('request', async (request, response) => {
  try {
    if (request.method === 'PUT' && request.url.startsWith('/accounts/')) {
      accounts.set(decodeURIComponent(request.url.slice('/accounts/'.length)), JSON.parse(await body(request)));
      response.writeHead(204).end();
    } else if (request.method === 'GET' && request.url.startsWith('/interaction/')) {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<form method="post"><input name="account"><button>Log in</button></form>');
    } else if (request.method === 'POST' && request.url.startsWith('/interaction/')) {
      const accountId = new URLSearchParams(await body(request)).get('account');
      const refused = { error: 'access_denied', error_description: 'no such account' };
      await provider.interactionFinished(request, response, accounts.has(accountId) ? { login: { accountId } } : refused);
    } else {
      callback(request, response);
    }
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

process.stdin.on('end', () => process.exit()).resume();
process.stdout.write(`${issuer}\n`);
