// SPDX-License-Identifier: Apache-2.0
// The list of jobs: filter, search, sort and page are all done by the server and kept in the address.

import {countJobs, findExecutions, findJobs} from './api.js';
import {emptyPanel, errorPanel, h, loadingRows, markSort, pager, pill, show, syncRows, table, time} from './dom.js';
import {count, describeCron, duration, toMillis} from './format.js';

const PAGE_SIZES = [25, 50, 100];
const SUMMARY_EVERY = 6;  // refreshes
const ORDERS = {
  job: 'jobName', team: 'config.team', next: 'config.schedule.nextRunEpochSeconds',
  python: 'deployments.jobPythonVersion', deployment: 'deployments.enabled', run: 'deployments.lastExecutionTime',
};
const FAILED = ['user_error', 'platform_error'];

export const jobAddress = (name) => `#/jobs/${encodeURIComponent(name)}`;

function nextRun(job) {
  if (!job.cron) {
    return h('span', {class: 'muted'}, 'No schedule');
  }
  const words = describeCron(job.cron);
  const next = job.next && job.state === 'enabled' ? h('span', {class: 'second'}, time(job.next * 1000, 'next')) : null;
  return [words ? h('span', {title: `${job.cron} (UTC)`}, words) : h('code', {title: 'UTC'}, job.cron), next];
}

function deploymentCell(job) {
  const failed = job.deployment && FAILED.includes(job.deployment.status);
  return [pill(job.state), failed && pill(`deployment_${job.deployment.status}`),
    failed && job.deployment.reason && h('span', {class: 'second reason', title: job.deployment.reason}, job.deployment.reason)];
}

function runCell(run) {
  if (!run) {
    return h('span', {class: 'muted'}, '–');
  }
  const [start, end] = [toMillis(run.start), toMillis(run.end)];
  const unfinished = run.status === 'running' || run.status === 'submitted';
  const took = start && end && !unfinished ? ` · ${duration((end - start) / 1000)}` : '';
  const when = unfinished ? start && time(start, 'for') : (end ?? start) && time(end ?? start);
  return [pill(run.status), h('span', {class: 'second'}, when, took)];
}

// A job's row is one link: the name's link covers it.
const COLUMNS = [
  {label: 'Job', order: 'job', class: 'job', data: (job) => [job.name, job.description],
    cell: ([name, description]) => [h('a', {href: jobAddress(name), class: 'row-link'}, name),
      description && h('span', {class: 'second clip', title: description}, description)]},
  {label: 'Team', order: 'team', class: 'team', data: (job) => job.team, cell: (team) => h('span', {class: 'clip', title: team}, team)},
  {label: 'Schedule', order: 'next', class: 'schedule', data: (job) => ({cron: job.cron, next: job.next, state: job.state}), cell: nextRun},
  {label: 'Python', order: 'python', class: 'python', data: (job) => job.deployment?.python ?? '',
    cell: (python) => python || h('span', {class: 'muted'}, '–')},
  {label: 'Deployment', order: 'deployment', class: 'deployment',
    data: (job) => ({state: job.state, deployment: job.deployment && {status: job.deployment.status, reason: job.deployment.reason}}), cell: deploymentCell},
  {label: 'Last run', order: 'run', class: 'run', data: (job) => job.run, cell: runCell},
];

function select(label, name, options) {
  return h('label', {class: 'field'}, h('span', {}, label),
    h('select', {name}, options.map(([value, text]) => h('option', {value}, text))));
}

function makeToolbar() {
  return h('form', {class: 'toolbar', role: 'search', 'aria-label': 'Jobs'},
    h('label', {class: 'field grow'}, h('span', {}, 'Search'),
      h('input', {type: 'search', name: 'search', placeholder: 'Name, team or description', autocomplete: 'off',
        spellcheck: 'false', 'aria-keyshortcuts': '/', maxlength: 200})),
    h('label', {class: 'field'}, h('span', {}, 'Team'),
      h('input', {type: 'text', name: 'team', placeholder: 'Any', autocomplete: 'off', spellcheck: 'false', list: 'teams',
        maxlength: 200}),
      h('datalist', {id: 'teams'})),
    select('Deployment', 'deployment', [['', 'Any'], ['enabled', 'Enabled'], ['disabled', 'Disabled'], ['not_deployed', 'Not deployed']]),
    select('Last run', 'run', [['', 'Any'], ['succeeded', 'Succeeded'], ['user_error', 'User error'],
      ['platform_error', 'Platform error'], ['cancelled', 'Cancelled'], ['skipped', 'Skipped']]),
    h('button', {type: 'reset', class: 'quiet'}, 'Clear'));
}

function readParams(params) {
  const size = Number(params.get('size'));
  const sort = params.get('sort') ?? 'job';
  return {
    search: params.get('search') ?? '', team: params.get('team') ?? '', deployment: params.get('deployment') ?? '',
    run: params.get('run') ?? '',
    sort: ORDERS[sort.replace(/^-/, '')] ? sort : 'job',
    page: Math.max(1, Math.floor(Number(params.get('page')) || 1)),
    size: PAGE_SIZES.includes(size) ? size : 50,
  };
}

export function jobsAddress(state) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    const usual = name === 'sort' ? 'job' : name === 'page' ? 1 : name === 'size' ? 50 : '';
    if (value !== usual) {
      params.set(name, value);
    }
  }
  const text = params.toString();
  return text ? `#/?${text}` : '#/';
}

function toQuery(state, knownTeams) {
  const filter = [];
  if (state.team) {
    filter.push({property: 'config.team', pattern: knownTeams.has(state.team) ? state.team : `%${state.team}%`});
  }
  if (state.deployment) {
    filter.push({property: 'deployments.enabled', pattern: state.deployment});
  }
  if (state.run) {
    filter.push({property: 'deployments.lastExecutionStatus', pattern: state.run});
  }
  filter.push({property: ORDERS[state.sort.replace(/^-/, '')], sort: state.sort.startsWith('-') ? 'DESC' : 'ASC'});
  return {page: state.page, size: state.size, search: state.search.trim(), filter};
}

export function jobsView(app, params) {
  let state = readParams(params);
  let typing = null;
  let refreshes = 0;
  const teams = new Set();

  const go = (change, push = false) => {
    app.go(jobsAddress({...state, page: 1, ...change}), !push);
  };
  const toolbar = makeToolbar();
  const tiles = h('ul', {class: 'tiles', 'aria-label': 'Overview'});
  const jobs = table('Data jobs. Column headers with a button sort the table.', COLUMNS, (name) => {
    go({sort: state.sort === name ? `-${name}` : name});
  });
  const pages = pager('jobs', (step) => {
    go({page: state.page + step}, true);
    app.toTop();
  });
  const sizes = h('label', {class: 'field inline'}, h('span', {}, 'Rows'),
    h('select', {name: 'size', change: (event) => go({size: Number(event.target.value)})},
      PAGE_SIZES.map((size) => h('option', {value: size}, String(size)))));
  pages.element.append(sizes);
  const place = h('div', {class: 'state'}, loadingRows(8));
  const frame = h('div', {class: 'frame'}, jobs.element);
  frame.hidden = true;
  const element = h('div', {class: 'view jobs-view'}, h('h1', {tabindex: -1}, 'Data jobs'), tiles, toolbar, place, frame, pages.element);
  pages.element.hidden = true;

  const fill = () => {
    for (const name of ['search', 'team', 'deployment', 'run']) {
      const field = toolbar.elements[name];
      if (field.value !== state[name] && field !== document.activeElement) {
        field.value = state[name];
      }
    }
    sizes.querySelector('select').value = String(state.size);
    toolbar.querySelector('[type=reset]').hidden = !(state.search || state.team || state.deployment || state.run);
    markSort(jobs.element, state.sort);
  };
  const apply = () => {
    clearTimeout(typing);
    const fields = toolbar.elements;
    go({search: fields.search.value, team: fields.team.value, deployment: fields.deployment.value, run: fields.run.value});
  };
  toolbar.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(apply, 200);
  });
  toolbar.addEventListener('submit', (event) => {
    event.preventDefault();
    apply();
  });
  toolbar.addEventListener('reset', (event) => {
    event.preventDefault();
    clearTimeout(typing);
    for (const name of ['search', 'team', 'deployment', 'run']) {
      toolbar.elements[name].value = '';
    }
    apply();
    toolbar.elements.search.focus();
  });
  fill();

  async function summary(signal) {
    const enabled = (pattern) => [{property: 'deployments.enabled', pattern}];
    const failedRun = (pattern) => [{property: 'deployments.lastExecutionStatus', pattern}];
    const numbers = await Promise.all([
      countJobs([], signal), countJobs(enabled('enabled'), signal), countJobs(enabled('disabled'), signal),
      countJobs(enabled('not_deployed'), signal),
      findExecutions({page: 1, size: 1, filter: {statusIn: ['SUBMITTED', 'RUNNING']}}, signal).then((found) => found.total),
      countJobs(failedRun('user_error'), signal), countJobs(failedRun('platform_error'), signal),
    ]);
    const tile = (label, number, href, kind) => h('li', {},
      h('a', {href, class: `tile ${number ? kind : ''}`}, h('span', {class: 'number'}, count(number)), h('span', {class: 'label'}, label)));
    show(tiles, numbers, ([all, on, off, none, running, user, platform]) => [
      tile('Jobs', all, '#/', ''), tile('Enabled', on, '#/?deployment=enabled', ''),
      tile('Disabled', off, '#/?deployment=disabled', ''), tile('Not deployed', none, '#/?deployment=not_deployed', ''),
      tile('Running now', running, '#/executions?status=running', 'run'),
      tile('User errors', user, '#/?run=user_error', 'bad'), tile('Platform errors', platform, '#/?run=platform_error', 'warn'),
    ]);
  }

  function showPage({content, total}) {
    const filtered = state.search || state.team || state.deployment || state.run;
    for (const job of content) {
      teams.add(job.team);
    }
    show(toolbar.querySelector('datalist'), [...teams].sort(), (names) => names.map((name) => h('option', {value: name})));
    frame.hidden = content.length === 0;
    show(place, content.length ? 'rows' : ['none', filtered, state.page > 1], () => {
      if (content.length) {
        return [];
      }
      if (total > 0) {
        return emptyPanel('No such page', 'There are fewer jobs now. ', h('a', {href: jobsAddress({...state, page: 1})}, 'Go to the first page'));
      }
      return filtered ? emptyPanel('No job matches', 'Try another word, or clear the filters.')
        : emptyPanel('No data jobs yet', 'Make the first one with ', h('code', {}, 'vdk create -n my-first-job -t my-team'), '.');
    });
    syncRows(jobs.body, content, (job) => job.name, COLUMNS, (job) => (job.state === 'enabled' ? '' : 'faint'));
    pages.update(state.page, state.size, content.length, total, count);
    app.announce(total === 0 ? 'No jobs' : `${count(total)} jobs, page ${state.page}`);
  }

  return {
    title: 'Data jobs',
    nav: 'jobs',
    element,
    interval: 5000,
    search: () => toolbar.elements.search,
    escape() {
      if (state.search || state.team || state.deployment || state.run) {
        toolbar.reset();
      }
    },
    setParams(next) {
      state = readParams(next);
      fill();
    },
    async refresh(signal) {
      showPage(await findJobs(toQuery(state, teams), signal));
      if (refreshes++ % SUMMARY_EVERY === 0) {
        await summary(signal);
      }
    },
    fail(error, retry) {
      if (frame.hidden) {
        show(place, [error.status, error.what, error.why], () => errorPanel(error, retry));
        return true;
      }
      return error.status === 400 && (show(place, [error.what, error.why], () => errorPanel(error)), true);
    },
  };
}
