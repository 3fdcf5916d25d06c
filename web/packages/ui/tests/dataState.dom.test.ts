import { makeI18n, sharedChinese } from '@huitouke/i18n';
import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import { DataState, SKELETON_DELAY_MS, SKELETON_MINIMUM_MS } from '../src/index';

const plugins = [makeI18n('zh-CN', { 'zh-CN': sharedChinese })];
const show = (props: InstanceType<typeof DataState>['$props']) => mount(DataState, { props, slots: { default: 'the rows', empty: 'nothing yet' }, global: { plugins } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('while loading', () => {
  it('shows nothing at first, so that a fast answer does not flicker', async () => {
    const wrapper = show({ loading: true });
    expect(wrapper.find('.skeleton').exists()).toBe(false);
    await wrapper.setProps({ loading: false });
    expect(wrapper.text()).toContain('the rows');
  });

  it('shows a skeleton after a moment, and then long enough to be seen', async () => {
    const wrapper = show({ loading: true });
    vi.advanceTimersByTime(SKELETON_DELAY_MS);
    await nextTick();
    expect(wrapper.find('.skeleton').exists()).toBe(true);
    await wrapper.setProps({ loading: false });
    expect(wrapper.find('.skeleton').exists()).toBe(true);
    vi.advanceTimersByTime(SKELETON_MINIMUM_MS);
    await nextTick();
    expect(wrapper.text()).toContain('the rows');
  });
});

it('an error says what happened, gives a code to quote, and can be retried', async () => {
  const wrapper = show({ loading: false, error: Object.assign(new Error('网络连接不上。'), { requestId: 'r-7' }) });
  expect(wrapper.get('[role=alert]').text()).toContain('网络连接不上。');
  expect(wrapper.text()).toContain('r-7');
  await wrapper.get('button').trigger('click');
  expect(wrapper.emitted('retry')).toHaveLength(1);
});

it('empty differs from data', () => {
  expect(show({ loading: false, empty: true }).text()).toContain('nothing yet');
  expect(show({ loading: false, empty: false }).text()).toContain('the rows');
});
