import type { TranslationBundle } from '@jupyterlab/translation';

/** Shown where there is no value. */
export const NONE = '–';

/** Characters that turn the direction of what follows, so that text reads otherwise than it is. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

const UNITS = [
  [86400, 'd', 3600, 'h'],
  [3600, 'h', 60, 'min'],
  [60, 'min', 1, 's']
] as const;

/**
 * A number for people, as the report has it: so many significant digits, no needless zeros.
 *
 *     number(0.98611) → '0.9861';  number(1234567) → '1.235e+06';  number(null) → '–'
 */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return NONE;
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : '−∞';
  }
  const [mantissa = '0', power = '0'] = value.toExponential(digits - 1).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < digits) {
    return trimmed(value.toFixed(digits - 1 - exponent)).replace('-', '−');
  }
  const sign = exponent < 0 ? '-' : '+';
  return `${trimmed(mantissa).replace('-', '−')}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function trimmed(digits: string): string {
  const short = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  return short === '-0' ? '0' : short;
}

/** An effect with its sign: `signed(0.35843) → '+0.358'`. */
export function signed(value: number | null | undefined, digits = 3): string {
  return (value !== null && value !== undefined && value > 0 ? '+' : '') + number(value, digits);
}

/** A share between 0 and 1 in per cent: `percent(0.256) → '26 %'`; what is small but not nothing is `'< 1 %'`. */
export function percent(share: number): string {
  return share > 0 && share < 0.005 ? '< 1 %' : `${Math.round(100 * share)} %`;
}

/** A length of time: `duration(75) → '1 min 15 s'`; seconds below 10 keep a digit. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) {
    return NONE;
  }
  const whole = Math.trunc(Math.max(0, seconds));
  for (const [unit, name, part, small] of UNITS) {
    if (whole >= unit) {
      const rest = Math.trunc((whole % unit) / part);
      return `${Math.trunc(whole / unit)} ${name}${rest ? ` ${rest} ${small}` : ''}`;
    }
  }
  return `${whole < 10 ? number(Math.max(0, seconds), 2) : whole} s`;
}

/** How long ago it was at `at`, both by the server's clock in seconds since 1970. */
export function ago(trans: TranslationBundle, at: number, now: number): string {
  const seconds = now - at;
  return seconds < 5 ? trans.__('just now') : trans.__('%1 ago', duration(Math.max(10, seconds)));
}

/** The moment in words of the person's own language: the date too where it was not today. */
export function moment(at: number, now: number): string {
  const when = new Date(1000 * at);
  const today = when.toDateString() === new Date(1000 * now).toDateString();
  return today ? when.toLocaleTimeString() : when.toLocaleString();
}

/**
 * Strangers' text, at most so many characters long: no half characters, nothing that turns the writing's direction.
 *
 *     cut('abcdef', 4) → 'abc…'
 */
export function cut(text: string, most = 300): string {
  const safe = text.slice(0, 2 * most).replace(TURNING, '');
  if (safe.length <= most && text.length <= 2 * most) {
    return safe;
  }
  const last = safe.charCodeAt(most - 2);
  const half = last >= 0xd800 && last <= 0xdbff;
  return `${safe.slice(0, half ? most - 2 : most - 1)}…`;
}
