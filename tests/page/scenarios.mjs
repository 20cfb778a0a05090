// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {checkAxe} from './axe.mjs';

export * from './login_scenarios.mjs';

const rows = (page) => page.locator('tbody tr');
const names = (page) => page.locator('tbody th .row-link').allInnerTexts();
const row = (page, name) => page.locator(`tbody tr[data-key="${name}"]`);

async function until(what, condition, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    assert.ok(Date.now() < end, `${what} did not come true within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function open(page, base, hash = '#/') {
  await page.goto(`${base}/${hash}`);
  await page.locator('main h1').waitFor();
  await page.waitForFunction(() => !document.querySelector('main .loading'));
}

const shows = (page, expected) => until(`rows ${expected}`, async () => (await names(page)).join() === expected.join());

export async function list(page, base) {
  await open(page, base, '#/?team=air');
  await shows(page, ['flights-ingest', 'requirements-broken', 'weather-broken']);
  const cells = await row(page, 'flights-ingest').locator('td').allInnerTexts();
  assert.equal(cells[0], 'air');
  assert.match(cells[1], /^daily at 02:00 UTC\s+next in \d+ (h|min|s)$/);
  assert.match(cells[2], /^3\.\d+$/);
  assert.equal(cells[3], 'Enabled');
  assert.match(cells[4], /^Succeeded\s+(now|\d+ (s|min) ago) · \d+ s$/);
  const failed = await row(page, 'requirements-broken').innerText();
  assert.match(failed, /Failed: user error/);
  assert.match(failed, /no-such-package/);
  assert.match(await row(page, 'weather-broken').innerText(), /User error/);
  const tiles = await until('the overview', async () => {
    const found = await page.locator('.tile').allInnerTexts();
    return found.length === 7 && found;
  });
  assert.match(tiles[2], /^1\s+Disabled$/);
  assert.match(tiles[4], /^1\s+Running now$/);
}

export async function search(page, base) {
  await open(page, base);
  await page.getByRole('searchbox').fill('flights-in');
  await shows(page, ['flights-ingest']);
  assert.match(page.url(), /#\/\?search=flights-in$/);
  assert.equal(await page.evaluate(() => document.activeElement.name), 'search');
  await page.reload();
  await shows(page, ['flights-ingest']);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'flights-in');
  await page.getByRole('searchbox').fill('nothing has this name');
  await page.getByRole('heading', {name: 'No job matches'}).waitFor();
  await page.getByRole('button', {name: 'Clear'}).click();
  await until('all jobs', async () => await rows(page).count() === 50);
}

export async function filter(page, base) {
  await open(page, base);
  await page.getByLabel('Deployment').selectOption('disabled');
  await shows(page, ['paused-job']);
  await page.getByLabel('Deployment').selectOption('not_deployed');
  await until('only jobs without a deployment', async () => (await names(page)).every((name) => /^bulk|^never/.test(name)));
  await page.getByLabel('Deployment').selectOption('');
  await page.getByLabel('Team').fill('groun');
  await shows(page, ['long-runner', 'paused-job']);
  await page.getByLabel('Team').fill('');
  await page.getByLabel('Last run').selectOption('user_error');
  await shows(page, ['weather-broken']);
  assert.match(page.url(), /#\/\?run=user_error$/);
}

export async function sort(page, base) {
  await open(page, base, '#/?deployment=enabled');
  const head = page.getByRole('columnheader', {name: 'Team'});
  assert.equal(await page.getByRole('columnheader', {name: 'Job'}).getAttribute('aria-sort'), 'ascending');
  await head.getByRole('button').click();
  await until('the column says so', async () => await head.getAttribute('aria-sort') === 'ascending');
  const teams = () => page.locator('tbody td.team').allInnerTexts();
  await until('teams in order', async () => (await teams()).join() === 'air,air,air,ground');
  await head.getByRole('button').click();
  await until('teams backwards', async () => (await teams()).join() === 'ground,air,air,air');
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  assert.match(page.url(), /sort=-team/);
}

export async function pages(page, base, {total}) {
  await open(page, base, '#/?team=bulk');
  await until('the first page', async () => await rows(page).count() === 50);
  assert.equal(await page.locator('.range').innerText(), `1–50 of ${total} jobs`);
  await page.getByRole('button', {name: 'Next page'}).click();
  await until('the second page', async () => (await names(page))[0] === 'bulk-job-050');
  assert.match(page.url(), /page=2/);
  await page.goBack();
  await until('the first page again', async () => (await names(page))[0] === 'bulk-job-000');
  await page.getByLabel('Rows').selectOption('100');
  await until('a hundred rows', async () => await rows(page).count() === 100);
  await open(page, base, '#/?team=bulk&page=99');
  await page.getByRole('heading', {name: 'No such page'}).waitFor();
}

export async function keyboard(page, base) {
  await open(page, base, '#/?team=air');
  await shows(page, ['flights-ingest', 'requirements-broken', 'weather-broken']);
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.name);
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('/');
  assert.equal(await focused(), 'search');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'flights-ingest');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'requirements-broken');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement.closest('tr')).outlineStyle), 'none');
  await page.keyboard.press('Enter');
  await until('the job', async () => await focused() === 'requirements-broken' && page.url().endsWith('#/jobs/requirements-broken'));
  await page.goBack();
  await until('focus where it was', async () => await page.evaluate(() => document.activeElement.className) === 'row-link');
  assert.equal(await focused(), 'requirements-broken');
  await page.keyboard.press('/');
  await page.keyboard.type('wea');
  await shows(page, ['weather-broken']);
  await page.keyboard.press('Escape');
  await until('nothing filters', async () => page.url().endsWith('#/'));
  for (let i = 0; i < 12; i++) {  // every stop of the Tab key has a visible ring
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(() => {
      const element = document.activeElement;
      return getComputedStyle(element.closest('tbody tr') ?? element).outlineStyle;
    });
    assert.notEqual(ring, 'none', await focused());
  }
}

export async function job(page, base) {
  await open(page, base, '#/?search=flights');
  await row(page, 'flights-ingest').click({position: {x: 5, y: 5}});  // the whole row is the link
  await page.getByRole('heading', {name: 'flights-ingest', level: 1}).waitFor();
  const part = (name) => page.locator(`[data-part=${name}]`).innerText();
  await until('the deployment', async () => /Version\s+[0-9a-f]{40}/.test(await part('deployment')));
  assert.match(await part('deployment'), /Python\s+3\.\d+/);
  assert.match(await part('configuration'), /Team\s+air/);
  assert.match(await part('configuration'), /daily at 02:00 UTC 0 2 \* \* \*/);
  assert.match(await part('configuration'), /ops@example\.com/);
  const first = await rows(page).first().innerText();
  assert.match(first, /Succeeded/);
  assert.match(first, /Manual/);
  assert.match(first, /manual\/vdk-control-cli/);
  await page.goto(`${base}/#/jobs/requirements-broken`);
  await until('the reason', async () => /roll-out failed[^]*no-such-package/.test(await part('deployment').catch(() => '')));
}

export async function log(page, base) {
  await open(page, base, '#/jobs/flights-ingest');
  await page.getByRole('link', {name: /^Execution / }).first().click();
  const text = page.getByRole('region', {name: /^Log of execution/});
  await until('the log', async () => (await text.innerText().catch(() => '')).includes('row 1499 loaded'));
  assert.ok(!(await text.innerText()).includes('row 17 loaded'), 'only the end is asked for');
  assert.ok(await text.evaluate((box) => box.scrollTop > 0), 'its end is in view');
  await page.getByLabel('Show').selectOption('0');
  await until('the whole log', async () => (await text.innerText()).includes('row 17 loaded'));
  assert.match(page.url(), /\?tail=0$/);
  await page.goto(`${base}/#/executions?status=user_error`);
  await page.getByRole('link', {name: /^Execution / }).first().click();
  await page.locator('.message-box, .log').first().waitFor();
  await until('what went wrong', async () => (await page.locator('main').innerText()).includes('no clouds today'));
}

export async function live(page, base, {release}) {
  await open(page, base, '#/?team=ground');
  assert.match(await row(page, 'long-runner').innerText(), /Running\s+for \d+/);
  await page.goto(`${base}/#/executions?status=running`);
  await page.getByRole('link', {name: /^Execution / }).first().click();
  const text = page.locator('.log');
  const ticks = async () => ((await text.innerText().catch(() => '')).match(/tick/g) ?? []).length;
  const before = await until('a first line', ticks);
  await until('more lines without a click', async () => await ticks() > before);
  await (await import('node:fs/promises')).writeFile(release, '');
  await until('its end without a click', async () => (await page.locator('.about').innerText()).includes('Succeeded'), 40);
  await until('the end of the log', async () => (await page.locator('.log-note').innerText()) === 'End of the log.');
}

export async function refresh(page, base) {
  await open(page, base, '#/?team=bulk');
  await until('the rows', async () => await rows(page).count() === 50);
  await page.locator('.row-link').nth(30).focus();
  await page.evaluate(() => {
    window.scrollTo(0, 700);
    document.querySelectorAll('tbody tr').forEach((one) => { one.seenBefore = true; });
  });
  const state = () => page.evaluate(() => [document.activeElement.textContent, window.scrollY,
    [...document.querySelectorAll('tbody tr')].every((one) => one.seenBefore)]);
  const before = await state();
  const answer = () => page.waitForResponse((response) => response.url().includes('query+Jobs'), {timeout: 15000});
  await answer();
  await answer();
  assert.deepEqual(await state(), before);
  const pause = page.getByRole('button', {name: 'Live'});
  await pause.click();
  assert.equal(await pause.getAttribute('aria-pressed'), 'false');
  let asked = 0;
  page.on('request', () => asked++);
  await page.waitForTimeout(6500);
  assert.equal(asked, 0, 'a paused page asks nothing');
  await pause.click();
  await until('it goes on', () => asked > 0);
}

const HOSTILE = '<img src=x onerror=window.hacked=1>';

export async function hostile(page, base) {
  const check = async (where) => {
    assert.equal(await page.evaluate(() => window.hacked), undefined, where);
    assert.equal(await page.locator('main img, main script, main [onerror]').count(), 0, where);
  };
  const seen = (where) => until(`${HOSTILE} as text in ${where}`, async () => (await page.locator('main').innerText()).includes(HOSTILE));
  await open(page, base, '#/?search=never-deployed');
  await shows(page, ['never-deployed']);
  assert.equal(await page.locator('td.team').innerText(), HOSTILE);
  assert.ok((await row(page, 'never-deployed').innerText()).split(HOSTILE).length > 2, 'team and description');
  await check('list');
  await open(page, base, '#/jobs/never-deployed');
  await seen('a job');
  await check('job');
  await open(page, base, '#/jobs/flights-ingest');
  await page.getByRole('link', {name: /^Execution / }).first().click();
  await page.getByLabel('Show').selectOption('0');
  await seen('a log');
  await check('log');
  await open(page, base, '#/executions?status=user_error');
  await page.getByRole('link', {name: /^Execution / }).first().click();
  await seen('an error');
  await check('error');
  for (const hash of [`#/jobs/${encodeURIComponent(HOSTILE)}`, `#/?search=${encodeURIComponent(HOSTILE)}`, `#/jobs/a/executions/${encodeURIComponent(HOSTILE)}`]) {
    await page.goto(`${base}/${hash}`);
    await page.waitForTimeout(300);
    await check(hash);
  }
  // A script in the page would not run even if one came through.
  const blocked = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective));
    const script = document.createElement('script');
    script.textContent = 'window.hacked = 2';
    document.body.append(script);
    setTimeout(() => resolve(''), 1000);
  }));
  assert.match(blocked, /^script-src/);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
}

export async function missing(page, base) {
  await open(page, base, '#/jobs/no-such-job');
  await page.getByRole('heading', {name: 'There is no such job'}).waitFor();
  await open(page, base, '#/jobs/flights*');
  await page.getByRole('heading', {name: 'There is no such job'}).waitFor();
  await open(page, base, '#/jobs/flights-ingest/executions/never-was');
  await page.getByRole('heading', {name: 'There is no such execution'}).waitFor();
  await open(page, base, '#/jobs/%E0%A4%A');
  await page.getByRole('heading', {name: 'Data jobs', level: 1}).waitFor();
}

export async function refused(page, base) {
  await page.route('**/data-jobs/for-team/**', (route) => route.fulfill({status: 503, contentType: 'application/json',
    body: JSON.stringify({what: 'Too many requests', why: 'The queue is full.', consequences: '', countermeasures: 'Wait a second.'})}));
  await open(page, base);
  await page.getByRole('heading', {name: 'Too many requests'}).waitFor();
  assert.match(await page.locator('main').innerText(), /The queue is full\.\s+Wait a second\./);
  await page.unroute('**/data-jobs/for-team/**');
  await page.getByRole('button', {name: 'Try again'}).click();
  await until('the jobs', async () => await rows(page).count() === 50);
  assert.equal(await page.locator('.panel.error').count(), 0);
}

const ADDRESSES = ['#/', '#/?search=zzzz', '#/jobs/flights-ingest', '#/jobs/requirements-broken', '#/jobs/never-deployed', '#/executions', '#/jobs/no-such-job'];

async function addresses(page, base) {
  await open(page, base, '#/executions');
  return [...ADDRESSES, await page.locator('tbody .row-link').first().getAttribute('href')];
}

export async function narrow(page, base) {
  await page.setViewportSize({width: 360, height: 780});
  for (const hash of await addresses(page, base)) {
    await open(page, base, hash);
    await page.waitForTimeout(300);
    const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(needs <= has, `${hash} is ${needs} pixels wide on a screen of ${has}`);
  }
}

/** axe-core finds missing names, wrong roles, bad structure and too little contrast. */
export async function accessible(page, base, {dark}) {
  const background = async () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  for (const hash of await addresses(page, base)) {
    await open(page, base, hash);
    await page.waitForTimeout(400);
    const [red] = (await background()).match(/\d+/g).map(Number);
    assert.ok(dark ? red < 50 : red > 200, `${hash}: ${await background()}`);
    await checkAxe(page, hash);
    assert.equal(await page.locator('h1').count(), 1, hash);
  }
}

/** Asks the test to stop the server and to start it again by files, and looks at what is seen meanwhile. */
export async function away(page, base, {stopped, restarted}) {
  const {access, writeFile} = await import('node:fs/promises');
  await open(page, base, '#/?team=air');
  await shows(page, ['flights-ingest', 'requirements-broken', 'weather-broken']);
  await writeFile(`${stopped}.wanted`, '');
  await until('the server is stopped', () => access(stopped).then(() => true, () => false), 60);
  await page.getByRole('alert').getByText('The server does not answer').waitFor();
  assert.equal((await names(page)).length, 3, 'the last known state stays');
  assert.equal(await page.locator('#freshness').innerText(), 'Offline');
  await writeFile(`${restarted}.wanted`, '');
  await until('the server is back', () => access(restarted).then(() => true, () => false), 60);
  await until('the message goes away by itself', async () => (await page.getByRole('alert').innerText()) === '', 45);
  assert.equal(await page.locator('#freshness').innerText(), 'Up to date');
}

export async function words(page, base) {
  await open(page, base);
  const said = await page.evaluate(async () => {
    const {describeCron, duration, relative} = await import('/format.js');
    const now = 1_000_000_000_000;
    return {
      schedules: ['* * * * *', '*/5 * * * *', '*/7 * * * *', '7 * * * *', '0 */4 * * *', '30 */4 * * *', '5 2 * * *', '0 6 * * 1-5', '0 6 * * 7',
        '0 6 1 * *', '0 6 1 * 1', '0 6 1 2 *', '61 * * * *', '0 2,14 * * *', 'nonsense'].map(describeCron),
      durations: [0, 59.4, 60, 61, 3599, 3600, 3660, 90000].map(duration),
      times: [now - 1000, now - 30_000, now - 90_000, now - 7_200_000, now - 86_400_000, now + 600_000].map((millis) => relative(millis, now)),
    };
  });
  assert.deepEqual(said.schedules, ['every minute', 'every 5 minutes', null, 'hourly at :07', 'every 4 hours', 'every 4 hours at :30', 'daily at 02:05 UTC',
    'weekdays at 06:00 UTC', 'Sundays at 06:00 UTC', 'monthly on day 1 at 06:00 UTC', null, null, null, null, null]);
  assert.deepEqual(said.durations, ['0 s', '59 s', '1 min', '1 min 1 s', '59 min 59 s', '1 h', '1 h 1 min', '25 h']);
  assert.deepEqual(said.times, ['now', '30 s ago', '1 min ago', '2 h ago', '1 day ago', 'in 10 min']);
}
