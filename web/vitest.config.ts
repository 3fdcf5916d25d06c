import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

const alias = { '@': new URL('./console/src', import.meta.url).pathname };

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [vue()],
        resolve: { alias },
        test: {
          name: 'pure',
          environment: 'node',
          include: ['{packages/*,console,phone,page}/**/*.test.ts'],
          exclude: ['**/*.dom.test.ts', '**/node_modules/**'],
        },
      },
      {
        plugins: [vue()],
        resolve: { alias },
        test: {
          name: 'dom',
          environment: 'happy-dom',
          include: ['{packages/*,console,phone,page}/**/*.dom.test.ts'],
          exclude: ['**/node_modules/**'],
        },
      },
    ],
  },
});
