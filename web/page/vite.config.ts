import { defineConfig } from 'vite';
import { precompress } from '../console/build/precompress.ts';
import { budget } from './build/budget.ts';

/** The server the development page talks to; open /c/<code> of the development page. */
const server = process.env.HUITOUKE_DEV_SERVER ?? 'http://127.0.0.1:8000';

export default defineConfig({
  base: '/c/',
  plugins: [budget(), precompress()],
  build: {
    outDir: '../../src/huitouke/web/page',
    emptyOutDir: true,
    // WeChat on Android brings Chromium 86 on older phones; iPhones that get no updates any more have Safari 13.
    target: ['chrome86', 'safari13'],
    cssTarget: ['chrome86', 'safari13'],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/visitor/api': { target: server, ws: true } } },
});
