import { makeI18n } from '@huitouke/i18n';
import { sharedChinese } from '@huitouke/i18n';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { mount } from '@vue/test-utils';
import { createPinia } from 'pinia';
import { describe, expect, it } from 'vitest';
import { aDetail, aMessage } from '../fixtures';
import texts from '../locales/zh-CN.json';
import MessageItem from './MessageItem.vue';

const customer = aDetail().customer;
const show = (change: Parameters<typeof aMessage>[0]) =>
  mount(MessageItem, {
    props: { message: aMessage(change), customer, follows: false, closes: true },
    global: { plugins: [makeI18n('zh-CN', { 'zh-CN': { ...sharedChinese, ...texts } }), createPinia(), VueQueryPlugin] },
  });

describe('a message', () => {
  it('of the assistant says that an AI wrote it, and offers why', async () => {
    const wrapper = show({ direction: 'out', sender_kind: 'assistant', ai: true, state: 'sent', text: '有的' });
    expect(wrapper.text()).toContain('AI');
    await wrapper.get('button.trace').trigger('click');
    expect(wrapper.emitted('trace')).toHaveLength(1);
  });

  it('that did not arrive says why and can be sent again', () => {
    const wrapper = show({ direction: 'out', sender_kind: 'agent', state: 'failed', failure: { code: 'send_fail.10', sentence: '客户拒收了消息。' } });
    expect(wrapper.get('[role=alert]').text()).toContain('客户拒收了消息。');
    expect(wrapper.get('[role=alert] button').text()).toBe('重发');
  });

  it.each([
    ['location', { name: '湖滨银泰', address: '东坡路', latitude: 30.2, longitude: 120.1 }, '湖滨银泰'],
    ['link', { title: '新品', desc: '满减', url: 'https://example.com' }, '满减'],
    ['miniprogram', { title: '商城' }, '小程序'],
    ['business_card', { userid: 'XiaoYu' }, 'XiaoYu'],
    ['msgmenu', { head_content: '请选择', list: [{ type: 'click', click: { id: '1', content: '查订单' } }], tail_content: '谢谢' }, '查订单'],
    ['merged_msg', { title: '聊天记录', item: [] }, '聊天记录'],
    ['channels_shop_product', { title: '衬衫', sales_price: '459' }, '459'],
    ['channels_shop_order', { product_titles: '衬衫', state: '已发货' }, '已发货'],
    ['channels', { sub_type: 1, nickname: '拾光', title: '直播' }, '直播'],
    ['meeting', {}, '会议'],
    ['something_new', { x: 1 }, '暂不支持'],
  ])('of kind %s shows what it holds', (msgtype, content, expected) => {
    expect(show({ msgtype, content, text: null }).text()).toContain(expected);
  });

  it.each([
    ['image', 'image/jpeg', '查看大图'],
    ['voice', 'audio/amr', '播放语音'],
    ['file', 'application/pdf', '20 KB'],
  ])('of kind %s offers its file', (msgtype, media_type, expected) => {
    const wrapper = show({ msgtype, text: null, file: { id: 'f', name: 'x', bytes: 20_480, media_type, url: '/files/f' } });
    expect(wrapper.html()).toContain(expected);
  });

  it('whose file is still with WeChat says so', () => expect(show({ msgtype: 'image', text: null }).text()).toContain('正在从微信取回'));

  it('that was recalled says so', () => expect(show({ recalled_at: '2026-11-21T06:05:00Z' }).text()).toContain('已撤回'));

  it('cannot bring markup into the page', () => expect(show({ text: '<img src=x onerror=alert(1)>' }).find('.bubble img').exists()).toBe(false));

  it.each([
    [{ event_type: 'taken', name: '小雨' }, '小雨 接手了会话'],
    [{ event_type: 'handed_over', to: 'wecom' }, '会话转到企业微信'],
    [{ event_type: 'closed' }, '会话已结束'],
    [{ event_type: 'never_heard_of' }, '系统消息'],
  ])('that is an event is a line', (content, expected) => expect(show({ msgtype: 'event', text: null, content }).text()).toContain(expected));
});
