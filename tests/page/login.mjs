// SPDX-License-Identifier: Apache-2.0
// A person at the login provider of tests/support/oidc: arguments are the browser, the address and the name.
import {chromium} from 'playwright-core';

const [executablePath, address, name] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20000);
  await page.route((url) => url.hostname !== '127.0.0.1', (route) => route.abort());  // fonts of the provider's pages
  await page.goto(address, {waitUntil: 'domcontentloaded'});
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.waitForSelector('input[name=login]', {state: 'detached'});
  await page.click('button[type=submit]');
  await page.waitForURL((url) => url.pathname === '/callback');
  console.log(await page.locator('h1').innerText());
} finally {
  await browser.close();
}
