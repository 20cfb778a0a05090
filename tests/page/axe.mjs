// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Missing names, wrong roles, bad structure and too little contrast of what is on the screen. */
export async function checkAxe(page, where) {
  await page.evaluate(`${source}; 0`);
  const problems = await page.evaluate(async () => (await window.axe.run()).violations.map(({id, help, nodes}) =>
    `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(' | ')}`));
  assert.deepEqual(problems, [], where);
}
