// SPDX-License-Identifier: Apache-2.0
// Executions of all jobs, newest first, and the table of them that a job's page shares.

import {findExecutions} from './api.js';
import {emptyPanel, errorPanel, h, loadingRows, pager, pill, show, syncRows, table, time} from './dom.js';
import {absolute, count, duration, toMillis} from './format.js';
import {jobAddress} from './jobs.js';

export const executionAddress = (job, id) => `${jobAddress(job)}/executions/${encodeURIComponent(id)}`;
export const isOpen = (status) => status === 'running' || status === 'submitted';

/** How long it took, or for how long it has been running. */
export function durationOf(start, end, status) {
  const from = toMillis(start);
  const to = isOpen(status) ? null : toMillis(end);
  return from && to ? duration((to - from) / 1000) : '';
}

const startCell = ([id, job, start, status]) => {
  const millis = toMillis(start);
  const text = millis ? absolute(millis) : id;
  return [h('a', {href: executionAddress(job, id), class: 'row-link', 'aria-label': `Execution ${text}`}, text),
    millis && h('span', {class: 'second'}, time(millis, isOpen(status) ? 'for' : ''))];
};

const clipped = (text) => (text ? h('span', {class: 'clip', title: text}, text) : []);

export const EXECUTION_COLUMNS = [
  {label: 'Started', class: 'start', data: (run) => [run.id, run.jobName, run.startTime, run.status], cell: startCell},
  {label: 'Status', class: 'status', data: (run) => run.status, cell: pill},
  {label: 'Duration', class: 'duration', data: (run) => durationOf(run.startTime, run.endTime, run.status), cell: (text) => text || h('span', {class: 'muted'}, '–')},
  {label: 'Type', class: 'type', data: (run) => run.type, cell: (type) => (type === 'manual' ? 'Manual' : 'Scheduled')},
  {label: 'Started by', class: 'by', data: (run) => run.startedBy ?? '', cell: clipped},
  {label: 'Message', class: 'message', data: (run) => run.message ?? '', cell: clipped},
];

const jobColumn = {label: 'Job', class: 'of-job', data: (run) => [run.jobName, run.teamName ?? ''],
  cell: ([name, team]) => [h('a', {href: jobAddress(name), class: 'above'}, name), h('span', {class: 'second clip'}, team)]};
const COLUMNS = [EXECUTION_COLUMNS[0], jobColumn, ...EXECUTION_COLUMNS.slice(1)];

const FILTERS = [['', 'All'], ['running', 'Running'], ['succeeded', 'Succeeded'], ['user_error', 'User errors'],
  ['platform_error', 'Platform errors'], ['cancelled', 'Cancelled'], ['skipped', 'Skipped']];

const address = (status, page) => {
  const params = new URLSearchParams();
  if (status) {
    params.set('status', status);
  }
  if (page > 1) {
    params.set('page', page);
  }
  return params.size ? `#/executions?${params}` : '#/executions';
};

export function executionsView(app, params) {
  const size = 50;
  let status = '';
  let page = 1;
  const links = h('ul', {class: 'chips', 'aria-label': 'Status'});
  const runs = table('Executions of all jobs, newest first.', COLUMNS);
  const pages = pager('executions', (step) => {
    app.go(address(status, page + step), false);
    app.toTop();
  });
  pages.element.hidden = true;
  const frame = h('div', {class: 'frame'}, runs.element);
  frame.hidden = true;
  const state = h('div', {class: 'state'}, loadingRows(8));
  const element = h('div', {class: 'view'}, h('h1', {tabindex: -1}, 'Executions'), links, state, frame, pages.element);

  const setParams = (next) => {
    status = FILTERS.some(([value]) => value === next.get('status')) ? next.get('status') : '';
    page = Math.max(1, Math.floor(Number(next.get('page')) || 1));
    show(links, status, () => FILTERS.map(([value, text]) =>
      h('li', {}, h('a', {href: address(value, 1), 'aria-current': value === status ? 'true' : null}, text))));
  };
  setParams(params);

  return {
    title: 'Executions',
    nav: 'executions',
    element,
    interval: 5000,
    setParams,
    async refresh(signal) {
      const statuses = status === 'running' ? ['SUBMITTED', 'RUNNING'] : [status.toUpperCase()];
      const {content, total} = await findExecutions({page, size, filter: status ? {statusIn: statuses} : {}}, signal);
      frame.hidden = content.length === 0;
      show(state, [content.length > 0, status], () => (content.length ? [] : emptyPanel('No executions',
        status ? 'None has this status.' : 'A job runs when its schedule is due, or by `vdk execute --start`.')));
      syncRows(runs.body, content, (run) => run.id, COLUMNS);
      pages.update(page, size, content.length, total, count);
      app.announce(`${count(total)} executions`);
    },
    fail(error, retry) {
      return frame.hidden && (show(state, [error.status, error.what], () => errorPanel(error, retry)), true);
    },
  };
}
