import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { boot } from './build/boot.ts';
import { budget } from './build/budget.ts';
import { precompress } from './build/precompress.ts';

/** The server the development page talks to; `make dev` sets it. */
const server = process.env.HUITOUKE_DEV_SERVER ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [vue(), boot(), budget(), precompress()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
  },
  build: {
    outDir: '../../src/huitouke/web/console',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    manifest: true,
    rolldownOptions: {
      output: {
        // What the first screen needs is one script and one style sheet: over a slow line every file costs a round trip.
        codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: server },
      '/operator/api': { target: server },
      '/files': { target: server },
      '/realtime': { target: server.replace(/^http/, 'ws'), ws: true },
    },
  },
});
