import js from '@eslint/js';
import query from '@tanstack/eslint-plugin-query';
import vue from 'eslint-plugin-vue';
import a11y from 'eslint-plugin-vuejs-accessibility';
import ts from 'typescript-eslint';

/** Features meet only through their `index.ts`; the shell knows them only through `features.ts`. */
const FEATURES = ['assistant', 'conversations', 'customers', 'organization'];

/** A number of lines that a file may have, without blanks and comments. */
const lines = (max) => ({ 'max-lines': ['error', { max, skipBlankLines: true, skipComments: true }] });

const noDirectKeys = {
  selector: "CallExpression[callee.property.name='addEventListener'][arguments.0.value='keydown']",
  message: 'Keys belong into the command registry (app/commands/registry.ts).',
};
const noDirectHttp = {
  selector: "CallExpression[callee.name='fetch'], NewExpression[callee.name='XMLHttpRequest']",
  message: 'Only packages/api talks HTTP.',
};
const noLiteralKey = {
  selector: "Property[key.name='queryKey'] > ArrayExpression > Literal",
  message: "Query keys come from the feature's queries.ts.",
};

export default ts.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'packages/api/src/generated/**', 'packages/api/schema/**', '**/*.css'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  ...query.configs['flat/recommended'],
  {
    files: ['**/*.{ts,vue,js,mjs}'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.vue'], sourceType: 'module' },
      globals: Object.fromEntries(
        (
          'window document navigator localStorage matchMedia performance crypto console WebSocket File FormData URL Blob XMLHttpRequest ' +
          'ResizeObserver setTimeout clearTimeout setInterval clearInterval TextEncoder Event KeyboardEvent FocusEvent ClipboardEvent ' +
          'HTMLElement HTMLInputElement HTMLTextAreaElement HTMLDialogElement HTMLDetailsElement MessageEvent AbortSignal EventTarget Node ' +
          'FileList process Intl fetch Audio AudioContext Image HTMLImageElement HTMLVideoElement HTMLAudioElement requestAnimationFrame ' +
          'PointerEvent MouseEvent DragEvent CustomEvent Response Request Headers structuredClone queueMicrotask'
        )
          .split(' ')
          .map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      ...lines(300),
      'no-restricted-syntax': ['error', noDirectKeys, noDirectHttp],
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      // The printer of Vue's own style guide, not ours: lines may be as long as they read well.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always', normal: 'always', component: 'always' } }],
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/require-default-prop': 'off',
      'vue/multi-word-component-names': ['error', { ignores: ['App'] }],
      'vue/no-v-html': 'error',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/define-macros-order': 'off',
      'vue/html-button-has-type': 'error',
      'vue/attributes-order': 'off',
      'vue/no-required-prop-with-default': 'error',
      // Our fields carry label and control through provide/inject, which the rule cannot follow.
      'vuejs-accessibility/label-has-for': 'off',
      'vuejs-accessibility/form-control-has-label': ['error', { controlComponents: [] }],
      // Dropping files and Escape in a form are extra ways; each has a button that does the same.
      'vuejs-accessibility/no-static-element-interactions': 'off',
      // A combobox moves through its options by aria-activedescendant: the focus stays in the field.
      'vuejs-accessibility/click-events-have-key-events': 'off',
      'vuejs-accessibility/interactive-supports-focus': 'off',
      // Focus goes where a dialog or form begins, on purpose.
      'vuejs-accessibility/no-autofocus': 'off',
    },
  },
  { files: ['**/use*.ts'], rules: lines(150) },
  {
    files: ['console/src/**/*.vue'],
    rules: { 'no-restricted-syntax': ['error', noDirectKeys, noDirectHttp, noLiteralKey] },
  },
  {
    files: ['**/store.ts', '**/drafts.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['@huitouke/api'], allowTypeImports: true, message: 'Server data lives in the query cache.' }] }] },
  },
  { files: ['packages/api/src/client.ts', 'phone/**'], rules: { 'no-restricted-syntax': ['error', noDirectKeys] } },
  { files: ['page/**'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['console/src/app/commands/registry.ts'], rules: { 'no-restricted-syntax': 'off' } },
  ...FEATURES.map((feature) => ({
    files: [`console/src/features/${feature}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [{ name: '@/features', message: 'A feature does not know the list of features.' }],
          patterns: [
            { group: FEATURES.filter((other) => other !== feature).map((other) => `@/features/${other}/*`), message: "Use the other feature's index.ts." },
          ],
        },
      ],
    },
  })),
  {
    files: ['packages/ui/**', 'packages/live/**', 'packages/i18n/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['@huitouke/api', '@/*'], message: 'Shared packages know no server and no feature.' }] }] },
  },
  {
    files: ['phone/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group: ['@huitouke/api', '@huitouke/live'], message: 'The phone belongs to the sandbox, never to the server.' }] }] },
  },
  { files: ['**/*.test.ts', '**/tests/**', '**/build/**', '**/scripts/**', '**/*.config.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off', 'no-restricted-syntax': 'off' } },
  { files: ['**/public/**'], rules: { 'no-var': 'off' } },
);
