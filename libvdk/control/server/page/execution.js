// SPDX-License-Identifier: Apache-2.0
// One execution and its log.

import {findJob, getExecution, getLogs} from './api.js';
import {emptyPanel, errorPanel, h, loadingRows, outsideLink, pill, show} from './dom.js';
import {durationOf, isOpen} from './executions.js';
import {crumbs, facts, moment} from './job.js';
import {jobAddress} from './jobs.js';

const TAILS = [100, 1000, 10000, 0];
const NEAR_THE_END = 40;  // pixels from the log's end that still count as following it

function details(run) {
  const deployment = run.deployment ?? {};
  return facts([
    ['Type', run.type === 'manual' ? 'Manual' : 'Scheduled'],
    ['Started', moment(run.start_time)],
    ['Ended', isOpen(run.status) ? null : moment(run.end_time)],
    ['Duration', durationOf(run.start_time, run.end_time, run.status)],
    ['Started by', run.started_by],
    ['Version', deployment.job_version && h('code', {class: 'wrap'}, deployment.job_version)],
    ['Python', deployment.python_version],
    ['Operation', run.op_id && h('code', {class: 'wrap'}, run.op_id)],
    ['Other logs', run.logs_url ? outsideLink(run.logs_url, 'Open') : null],
  ]);
}

function logBox(id, change) {
  const tail = h('select', {name: 'tail', change}, TAILS.map((lines) =>
    h('option', {value: lines}, lines ? `Last ${lines} lines` : 'Whole log')));
  const wrap = h('input', {type: 'checkbox', name: 'wrap', checked: true, change: () => text.classList.toggle('nowrap', !wrap.checked)});
  const text = h('pre', {class: 'log', tabindex: 0, role: 'region', 'aria-label': `Log of execution ${id}`});
  const note = h('p', {class: 'muted log-note'});
  const reload = h('button', {type: 'button', class: 'quiet', click: change}, 'Refresh');
  const element = h('section', {class: 'log-section'}, h('div', {class: 'section-head'}, h('h2', {}, 'Log'),
    h('div', {class: 'log-tools'}, h('label', {class: 'field inline'}, h('span', {}, 'Show'), tail),
      h('label', {class: 'check'}, wrap, 'Wrap lines'), reload)), text, note);
  return {element, tail, text, note};
}

export function executionView(app, params, [name, id]) {
  let team = null;
  let finished = false;
  let logIsFinal = false;
  const log = logBox(id, () => {
    logIsFinal = false;
    app.go(`${jobAddress(name)}/executions/${encodeURIComponent(id)}${log.tail.value === '1000' ? '' : `?tail=${log.tail.value}`}`, true);
    app.refreshNow();
  });
  const about = h('div', {class: 'about'});
  const panel = h('section', {class: 'panel', 'data-part': 'execution'});
  const content = h('div', {}, panel, log.element);
  content.hidden = true;
  const state = h('div', {class: 'state'}, loadingRows(5));
  const element = h('div', {class: 'view'}, crumbs(['Data jobs', '#/'], [name, jobAddress(name)], [id]),
    h('h1', {tabindex: -1, class: 'long'}, id), about, state, content);
  const setParams = (next) => {
    const tail = next.get('tail') ?? '1000';
    log.tail.value = TAILS.includes(Number(tail)) ? tail : '1000';
  };
  setParams(params);

  function showLog(text) {
    const follow = log.text.scrollHeight - log.text.scrollTop - log.text.clientHeight < NEAR_THE_END;
    if (log.text.textContent !== text) {
      const before = log.text.textContent;
      if (before && text.startsWith(before)) {
        log.text.append(text.slice(before.length));  // what is selected stays selected
      } else {
        log.text.textContent = text;
      }
      if (follow) {
        log.text.scrollTop = log.text.scrollHeight;
      }
    }
    log.text.hidden = text === '';
    log.note.textContent = text === '' ? (finished ? 'There is no log.' : 'Nothing written yet.')
      : finished ? 'End of the log.' : 'The execution is running: new lines appear by themselves.';
  }

  return {
    title: `${id} · ${name}`,
    nav: 'jobs',
    element,
    get interval() {
      return finished ? 15000 : 2000;
    },
    setParams,
    async refresh(signal) {
      team ??= (await findJob(name, signal))?.team ?? null;
      const run = team === null ? null : await getExecution(team, name, id, signal).catch((error) => {
        if (error.status === 404) {
          team = null;  // it may have moved to another team
          return null;
        }
        throw error;
      });
      if (!run) {
        content.hidden = true;
        show(state, 'missing', () => emptyPanel('There is no such execution', 'Old executions are removed after a while. ',
          h('a', {href: jobAddress(name)}, 'The job'), ' · ', h('a', {href: '#/'}, 'All jobs')));
        return;
      }
      finished = !isOpen(run.status);
      content.hidden = false;
      show(state, 'found', () => []);
      show(about, [run.status, run.message], () => [h('p', {class: 'pills'}, pill(run.status)),
        run.message && h('pre', {class: 'message-box'}, run.message)]);
      show(panel, run, details);
      if (!logIsFinal) {
        const final = finished;
        showLog(await getLogs(team, name, id, log.tail.value, signal));
        logIsFinal = final;
      }
      app.announce(`Execution ${run.status.replace('_', ' ')}`);
    },
    fail(error, retry) {
      return content.hidden && (show(state, [error.status, error.what], () => errorPanel(error, retry)), true);
    },
  };
}
