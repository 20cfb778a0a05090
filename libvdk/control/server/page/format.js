// SPDX-License-Identifier: Apache-2.0
// Times, durations and schedules as people read them.

const absoluteFormat = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
const numberFormat = new Intl.NumberFormat('en');

/** Milliseconds since 1970 of an ISO text, of seconds since 1970, or null. */
export function toMillis(value) {
  if (value === null || value === undefined || value === '') {
    return null;
  }
  const millis = typeof value === 'number' ? value * 1000 : Date.parse(value);
  return Number.isFinite(millis) ? millis : null;
}

export function absolute(millis) {
  return absoluteFormat.format(new Date(millis));
}

export function count(number) {
  return numberFormat.format(number);
}

function span(seconds) {
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min`;
  }
  if (seconds < 86400) {
    return `${Math.floor(seconds / 3600)} h`;
  }
  const days = Math.floor(seconds / 86400);
  return days === 1 ? '1 day' : `${days} days`;
}

/** "12 s", "3 min", "2 h", "5 days" since then. */
export function since(millis, now = Date.now()) {
  return span(Math.max(0, now - millis) / 1000);
}

/** "3 min ago", "in 2 h". */
export function relative(millis, now = Date.now()) {
  const seconds = Math.abs(millis - now) / 1000;
  if (seconds < 2) {
    return 'now';
  }
  return millis < now ? `${span(seconds)} ago` : `in ${span(seconds)}`;
}

/** "12 s", "4 min 2 s", "3 h 20 min". */
export function duration(seconds) {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) {
    return `${total} s`;
  }
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  if (hours === 0) {
    return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
}

const DAYS = ['Sundays', 'Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'];

function oneNumber(field, highest) {
  return /^\d{1,2}$/.test(field) && Number(field) <= highest ? Number(field) : null;
}

/** The step of "*" + "/n" where n divides the range evenly, else null. */
function evenStep(field, range) {
  const match = /^\*\/(\d{1,2})$/.exec(field);
  const step = match ? Number(match[1]) : 0;
  return step > 1 && range % step === 0 ? step : null;
}

/** Common schedules in words; null for all others, which are better shown as they are. */
export function describeCron(cron) {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 || fields[3] !== '*') {
    return null;
  }
  const [minuteField, hourField, dayField, , weekField] = fields;
  const everyDay = dayField === '*' && weekField === '*';
  const minute = oneNumber(minuteField, 59);
  const hour = oneNumber(hourField, 23);
  if (hourField === '*' && everyDay) {
    if (minuteField === '*') {
      return 'every minute';
    }
    const step = evenStep(minuteField, 60);
    if (step) {
      return `every ${step} minutes`;
    }
    return minute === null ? null : `hourly at :${String(minute).padStart(2, '0')}`;
  }
  if (minute === null) {
    return null;
  }
  const step = evenStep(hourField, 24);
  if (step && everyDay) {
    return minute === 0 ? `every ${step} hours` : `every ${step} hours at :${String(minute).padStart(2, '0')}`;
  }
  if (hour === null) {
    return null;
  }
  const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')} UTC`;
  if (everyDay) {
    return `daily at ${time}`;
  }
  if (dayField === '*' && /^(1-5|mon-fri)$/i.test(weekField)) {
    return `weekdays at ${time}`;
  }
  const weekDay = oneNumber(weekField, 7);
  if (dayField === '*' && weekDay !== null) {
    return `${DAYS[weekDay]} at ${time}`;
  }
  const day = oneNumber(dayField, 31);
  return weekField === '*' && day ? `monthly on day ${day} at ${time}` : null;
}
