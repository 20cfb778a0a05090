// SPDX-License-Identifier: Apache-2.0
import {chromium} from 'playwright-core';

const [executablePath, base, folder] = process.argv.slice(2);
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync']});
const shots = [
  ['operations-jobs', '#/', 'light', 900],
  ['operations-dark', '#/?sort=-run', 'dark', 900],
  ['operations-job', '#/jobs/flights-ingest', 'light', 900],
];
for (const [name, hash, colorScheme, height] of shots) {
  const page = await browser.newPage({viewport: {width: 1280, height}, colorScheme});
  await page.goto(`${base}/${hash}`);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length > 5 && document.querySelectorAll('.tile').length !== 1);
  await page.waitForTimeout(1200);
  await page.screenshot({path: `${folder}/${name}.png`});
  await page.close();
}
await browser.close();
