// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {checkAxe} from './axe.mjs';

const heading = (page, name) => page.getByRole('heading', {name, level: 1});
const names = (page) => page.locator('tbody th .row-link').allInnerTexts();

/** A person at the provider's own pages. */
async function atProvider(page, who, base) {
  await page.waitForURL((url) => !url.href.startsWith(base));
  if (who) {
    await page.fill('input[name=login]', who);
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.waitForSelector('input[name=login]', {state: 'detached'});
  }
  await page.click('button[type=submit]');  // consent
  await page.waitForURL((url) => url.href.startsWith(base) && url.pathname === '/');
}

async function logIn(page, base, who, hash = '#/') {
  await page.goto(`${base}/${hash}`);
  await page.getByRole('link', {name: 'Log in', exact: true}).click();
  await atProvider(page, who, base);
}

async function shows(page, expected) {
  await page.waitForFunction((text) => [...document.querySelectorAll('tbody th .row-link')].map((one) => one.innerText).join() === text, expected.join());
  assert.deepEqual(await names(page), expected);
}

async function fits(page) {
  await page.setViewportSize({width: 360, height: 780});
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(needs <= has, `${needs} pixels wide on a screen of ${has}`);
  await page.setViewportSize({width: 1360, height: 900});
}

export async function person(page, base) {
  await page.goto(`${base}/#/jobs/red-job`);
  await heading(page, 'Log in to see the data jobs').waitFor();
  await checkAxe(page, 'before the login');
  await fits(page);
  for (let i = 0; i < 12 && await page.evaluate(() => document.activeElement.textContent) !== 'Log in'; i++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await atProvider(page, 'alice', base);
  await heading(page, 'red-job').waitFor();  // where the link has led
  assert.match(page.url(), /#\/jobs\/red-job$/);
  assert.equal(await page.locator('.person-name').innerText(), 'alice');
  const cookies = (await page.context().cookies(base)).filter(({name}) => name.startsWith('vdk-'));
  assert.deepEqual(cookies.map(({name, httpOnly, sameSite}) => [name, httpOnly, sameSite]), [['vdk-session', true, 'Strict']]);
  assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ['', 0, 0]);
  await page.goto(`${base}/#/`);
  await shows(page, ['red-job']);
  await page.reload();
  await shows(page, ['red-job']);
  await checkAxe(page, 'after the login');
  await fits(page);
  await page.goto(`${base}/#/jobs/blue-job`);
  await page.getByRole('heading', {name: 'There is no such job'}).waitFor();
}

export async function other(page, base) {
  await logIn(page, base, 'bob');
  await shows(page, ['blue-job']);
}

export async function over(page, base) {
  await logIn(page, base, 'alice', '#/?team=red');
  await shows(page, ['red-job']);
  await page.context().clearCookies({name: 'vdk-session'});
  await heading(page, 'Your login is over').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  assert.ok(!(await page.locator('body').innerText()).includes('red-job'), 'nothing of it stays on the screen');
  assert.equal(await page.getByRole('button', {name: 'Log out'}).count(), 0);
  await checkAxe(page, 'after the end');
  let asked = 0;
  page.on('request', () => asked++);
  await page.waitForTimeout(6500);
  assert.equal(asked, 0, 'it does not go on asking');
  await page.getByRole('link', {name: 'Log in', exact: true}).click();
  await atProvider(page, '', base);
  await shows(page, ['red-job']);
  assert.match(page.url(), /#\/\?team=red$/);
}

export async function leave(page, base) {
  await logIn(page, base, 'alice');
  await shows(page, ['red-job']);
  const session = (await page.context().cookies(base)).find(({name}) => name === 'vdk-session');
  await page.getByRole('button', {name: 'Log out'}).click();
  await page.waitForURL((url) => !url.href.startsWith(base));
  await page.click('button[type=submit]');  // the provider asks
  await page.waitForURL(`${base}/**`);
  await heading(page, 'Log in to see the data jobs').waitFor();
  await page.context().addCookies([session]);
  await page.reload();
  await heading(page, 'Your login is over').waitFor();
}

export async function mistaken(page, base) {
  await page.goto(`${base}/login/callback?state=made-up&code=stolen`);
  await heading(page, 'This login is not known').waitFor();
  await checkAxe(page, 'a login that is not known');
  await fits(page);
  const styled = await page.evaluate(() => getComputedStyle(document.querySelector('.panel')).borderTopWidth);
  assert.equal(styled, '1px', 'its style is found');
  await page.getByRole('link', {name: 'Log in', exact: true}).click();
  await atProvider(page, 'alice', base);
  await shows(page, ['red-job']);
}
