/** What people call the browser that names itself so: 「Chrome · Windows」. Where it can't be told, the first word of it. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/wxwork\//i, 'app.devices.wecom'],
  [/MicroMessenger\//i, 'app.devices.wechat'],
  [/Edg(?:e|A|iOS)?\//, 'Edge'],
  [/(?:Firefox|FxiOS)\//, 'Firefox'],
  [/(?:Chrome|CriOS)\//, 'Chrome'],
  [/Version\/[\d.]+.*Safari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad|iPod/, 'iOS'],
  [/HarmonyOS/, 'HarmonyOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];
const LONGEST_WORD = 24;

/** `named` gives the text of a key that begins with `app.`. */
export function deviceName(userAgent: string | null, named: (key: string) => string): string {
  if (!userAgent) return named('app.devices.unknown');
  const found = (list: readonly (readonly [RegExp, string])[]): string => list.find(([pattern]) => pattern.test(userAgent))?.[1] ?? '';
  const browser = found(BROWSERS);
  const parts = [browser.startsWith('app.') ? named(browser) : browser, found(SYSTEMS)].filter(Boolean);
  return parts.join(' · ') || userAgent.split(/[\s/]/, 1).join('').slice(0, LONGEST_WORD) || named('app.devices.unknown');
}
