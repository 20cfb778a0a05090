// SPDX-License-Identifier: Apache-2.0
// A real OpenID Connect provider (npm oidc-provider) on loopback: PKCE required, refresh tokens that rotate, client
// credentials, device flow, revocation, JWT access tokens. Configured by one JSON argument; prints {"issuer": ...} when it
// listens. Its storage is memory. POST /test/keys replaces the signing key, POST /test/revoke/NAME
// takes back what a person has granted, GET /test/log lists the token requests.
import {createServer} from 'node:http';
import {generateKeyPairSync, randomUUID} from 'node:crypto';
import Provider from 'oidc-provider';

const options = {port: 0, accessTokenSeconds: 3600, refreshTokenSeconds: 86400, audience: 'vdk-control-service', claims: {}, pages: [], ...JSON.parse(process.argv[2] ?? '{}')};

function newKey() {
  const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
  return {...privateKey.export({format: 'jwk'}), kid: randomUUID(), use: 'sig', alg: 'RS256'};
}

let keys = [newKey()];
const log = [];
const server = createServer();
await new Promise(resolve => server.listen(options.port, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const grants = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];
const configuration = () => ({
  jwks: {keys},
  clients: [
    // A native application: any loopback port, no secret.
    {client_id: 'vdk-cli', token_endpoint_auth_method: 'none', application_type: 'native', grant_types: grants, response_types: ['code'],
     redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/']},
    // The same with a secret, as the original logs in.
    {client_id: 'vdk-confidential', client_secret: 'confidential-secret', application_type: 'native', grant_types: grants,
     response_types: ['code'], redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/']},
    {client_id: 'vdk-ci', client_secret: 'ci-secret', grant_types: ['client_credentials'], response_types: [], redirect_uris: []},
    // The operations page of a server on loopback, at any port; options.pages: its addresses, to come back to after a logout.
    {client_id: 'vdk-page', client_secret: 'page-secret', application_type: 'native', token_endpoint_auth_method: 'client_secret_basic',
     grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
     redirect_uris: ['http://127.0.0.1/login/callback', 'http://localhost/login/callback', 'https://jobs.example.com/vdk/login/callback'],
     post_logout_redirect_uris: options.pages.map(address => address + '/')},
  ],
  pkce: {required: () => true},
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  scopes: ['openid', 'offline_access', 'api'],
  ttl: {AccessToken: () => options.accessTokenSeconds, ClientCredentials: () => options.accessTokenSeconds,
        RefreshToken: () => options.refreshTokenSeconds, DeviceCode: 600, Grant: 86400, Session: 86400, Interaction: 3600, IdToken: 3600},
  findAccount: async (ctx, id) => ({accountId: id, claims: async () => ({sub: id, username: id})}),
  // The claims by which the control service knows people; options.claims: {login: {...}}.
  extraTokenClaims: async (ctx, token) => {
    const name = token.accountId ?? token.clientId;
    return {username: name, ...(options.claims[name] ?? {})};
  },
  features: {
    devInteractions: {enabled: true}, deviceFlow: {enabled: true}, clientCredentials: {enabled: true}, revocation: {enabled: true},
    introspection: {enabled: true},
    resourceIndicators: {
      enabled: true, defaultResource: async () => 'urn:vdk', useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({scope: 'api', audience: options.audience, accessTokenFormat: 'jwt', jwt: {sign: {alg: 'RS256'}},
                                           accessTokenTTL: options.accessTokenSeconds})},
  },
  cookies: {keys: ['test-only']},
});

const grantsOf = {};  // who -> ids
function start() {
  const fresh = new Provider(issuer, configuration());
  fresh.on('grant.success', ({oidc}) => (grantsOf[oidc.entities.Account?.accountId] ??= new Set()).add(oidc.entities.Grant?.jti));
  return fresh;
}
let provider = start();
let handler = provider.callback();
server.on('request', (request, response) => {
  if (request.url === '/test/keys' && request.method === 'POST') {
    keys = [newKey()];
    provider = start();
    handler = provider.callback();
    response.end(JSON.stringify({kid: keys[0].kid}));
    return;
  }
  if (request.url.startsWith('/test/revoke/') && request.method === 'POST') {
    const ids = [...(grantsOf[request.url.split('/').pop()] ?? [])].filter(Boolean);
    Promise.all(ids.map(async id => (await provider.Grant.find(id))?.destroy())).then(() => response.end(String(ids.length)));
    return;
  }
  if (request.url === '/test/log') {
    response.end(JSON.stringify(log));
    return;
  }
  if (request.url.startsWith('/token') || request.url.startsWith('/jwks')) {
    log.push(`${request.method} ${request.url}`);
  }
  handler(request, response);
});
console.log(JSON.stringify({issuer}));
