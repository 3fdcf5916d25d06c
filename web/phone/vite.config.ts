import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

/** The sandbox that the development page talks to. */
const sandbox = process.env.WECHAT_SANDBOX_DEV_SERVER ?? 'http://127.0.0.1:8100';

export default defineConfig({
  base: '/',
  plugins: [vue()],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
  },
  build: {
    outDir: '../../src/wechat_sandbox/web/phone',
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: { proxy: { '/sandbox': { target: sandbox } } },
});
