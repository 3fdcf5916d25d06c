import { expect, it } from 'vitest';
import { linesOf, templatesOf } from './smsTemplates';

it('comes back as it went', () => {
  const templates = { code: 'SMS_1', 到店提醒: 'SMS_2' };
  expect(templatesOf(linesOf(templates))).toEqual(templates);
});

it('leaves out what is no name and code', () => {
  expect(templatesOf(' code   SMS_1 \n\nalone\na b c\n')).toEqual({ code: 'SMS_1' });
});
