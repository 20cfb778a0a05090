// SPDX-License-Identifier: Apache-2.0
// A real browser behind standard input: one JSON line {scenario, base, ...} in, one JSON line {ok} or {error} out.
import {createInterface} from 'node:readline';
import {chromium} from 'playwright-core';
import * as scenarios from './scenarios.mjs';

const [executablePath] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']});

async function run({scenario, base, issuer, ...data}) {
  const context = await browser.newContext({viewport: {width: 1360, height: 900}, colorScheme: data.dark ? 'dark' : 'light'});
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    const expected = data.expect && new RegExp(data.expect).test(message.text());
    if (message.type() === 'error' && !expected) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  if (issuer) {
    await page.route((url) => !['127.0.0.1', 'localhost'].includes(url.hostname), (route) => route.abort());  // fonts of the provider's pages
  }
  page.on('request', (request) => {
    const there = issuer && (request.isNavigationRequest() || page.url().startsWith(issuer));
    if (!request.url().startsWith(base) && !there) {
      complaints.push(`asks another server: ${request.url()}`);
    }
  });
  try {
    await scenarios[scenario](page, base, {...data, issuer});
    return complaints.length ? {error: complaints.join('\n')} : {ok: true};
  } catch (error) {
    const screen = await page.locator('body').innerText({timeout: 2000}).catch(() => '');
    return {error: `${error.stack}\n${complaints.join('\n')}\n--- the page at ${page.url()}\n${screen.slice(0, 3000)}`};
  } finally {
    await context.close();
  }
}

for await (const line of createInterface({input: process.stdin})) {
  console.log(JSON.stringify(await run(JSON.parse(line))));
}
await browser.close();
