/* Runs before everything else, while the console's parts are still on their way: sets the theme, so that a dark screen
   never flashes white, and asks for what the first screen shows, so that the answers do not wait for the parts.
   packages/api takes the answers (`early.ts`); whoever is not signed in asks for nothing more than the session. */
(function () {
  var stored = function (name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; /* storage may be forbidden; the defaults then hold */
    }
  };
  var choice = stored('huitouke.theme') || 'system';
  var dark = choice === 'dark' || (choice === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';

  var inbox = location.pathname === '/' || location.pathname === '/conversations';
  var asked = /^\/operator(\/|$)/.test(location.pathname) ? [] : ['/api/session'];
  if (inbox && !location.search && stored('huitouke.signed_in')) asked.push('/api/conversations?limit=50&sort=newest&view=all');
  var language = (stored('huitouke.locale') || navigator.language).indexOf('zh') === 0 ? 'zh-CN' : 'en';
  var headers = { 'X-Requested-With': 'huitouke', 'Accept-Language': language };
  window.huitoukeEarly = { at: performance.now(), answers: new Map() };
  asked.forEach(function (path) {
    // eslint-disable-next-line no-restricted-syntax -- runs before packages/api has arrived, which takes these answers
    var answer = fetch(path, { headers: headers, credentials: 'same-origin' });
    answer.catch(function () {}); /* whoever takes it is told; nobody else is */
    window.huitoukeEarly.answers.set(path, answer);
  });

  /* The build writes the addresses of the texts here, by language; while developing there are none. */
  var texts = /* texts */ {}[language];
  if (texts) {
    var link = document.createElement('link');
    link.rel = 'modulepreload';
    link.crossOrigin = '';
    link.href = texts;
    document.head.append(link);
  }
})();
