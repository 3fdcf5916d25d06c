/** The calls this page makes, one function each. */
import { call } from './client';
import type {
  AppMessage,
  Chat,
  Clock,
  Corp,
  Customer,
  Employee,
  Entered,
  Faults,
  Media,
  MediaKind,
  Message,
  MessagePage,
  Outgoing,
  SandboxState,
  Sent,
  Servicer,
  Session,
} from './types';

export const PAGE_SIZE = 50;
const LIST_LIMIT = 200;

const part = encodeURIComponent;
const chatPath = (customer: string, account: string): string => `/customers/${part(customer)}/chats/${part(account)}`;

export const getState = (): Promise<SandboxState> => call('GET', '/state');

// ---- the phone
export const listCustomers = (q = ''): Promise<Customer[]> => call('GET', '/customers', { query: { q: q || undefined, limit: LIST_LIMIT } });
export const getCustomer = (customer: string): Promise<Customer> => call('GET', `/customers/${part(customer)}`);
export const createCustomer = (nickname: string): Promise<Customer> => call('POST', '/customers', { body: { nickname } });
export const setRejects = (customer: string, rejects: boolean): Promise<Customer> => call('PATCH', `/customers/${part(customer)}`, { body: { rejects } });
export const listChats = (customer: string): Promise<Chat[]> => call('GET', `/customers/${part(customer)}/chats`);
export const enterChat = (customer: string, by: { url: string } | { open_kfid: string }): Promise<Entered> =>
  call('POST', `/customers/${part(customer)}/enter`, { body: by });
export const listMessages = (customer: string, account: string, range: Range = {}): Promise<MessagePage> =>
  call('GET', `${chatPath(customer, account)}/messages`, { query: { ...range, limit: PAGE_SIZE } });
export const getMessage = (customer: string, account: string, msgid: string): Promise<Message> =>
  call('GET', `${chatPath(customer, account)}/messages/${part(msgid)}`);
export const sendMessage = (customer: string, account: string, message: Outgoing): Promise<Sent> =>
  call('POST', `${chatPath(customer, account)}/messages`, { body: message });
export const recallMessage = (customer: string, account: string, msgid: string): Promise<unknown> =>
  call('POST', `${chatPath(customer, account)}/messages/${part(msgid)}/recall`);
export const clickMenu = (customer: string, account: string, msgid: string, id: string): Promise<Sent> =>
  call('POST', `${chatPath(customer, account)}/menu-click`, { body: { msgid, id } });
export const readChat = (customer: string, account: string): Promise<unknown> => call('POST', `${chatPath(customer, account)}/read`, { body: {} });

export interface Range {
  after?: number;
  before?: number;
}

export function uploadMedia(file: File, type: MediaKind): Promise<Media> {
  const form = new FormData();
  form.append('file', file);
  form.append('type', type);
  return call('POST', '/media', { body: form });
}

// ---- the employee's client
const deskPath = (employee: Employee): string => `/employees/${part(employee.userid)}`;
const sessionPath = (employee: Employee, account: string, customer: string): string =>
  `${deskPath(employee)}/sessions/${part(account)}/${part(customer)}`;
const of = (employee: Employee): { corp_id: string } => ({ corp_id: employee.corp_id });

export const listEmployees = (): Promise<Employee[]> => call('GET', '/employees');
export const getCorp = (corp: string): Promise<Corp> => call('GET', `/corps/${part(corp)}`);
export const listSessions = (employee: Employee, state: number[]): Promise<Session[]> =>
  call('GET', `${deskPath(employee)}/sessions`, { query: { ...of(employee), state } });
export const listSessionMessages = (employee: Employee, account: string, customer: string, range: Range = {}): Promise<MessagePage> =>
  call('GET', `${sessionPath(employee, account, customer)}/messages`, { query: { ...of(employee), ...range, limit: PAGE_SIZE } });
export const reply = (employee: Employee, account: string, customer: string, message: Outgoing): Promise<Sent> =>
  call('POST', `${sessionPath(employee, account, customer)}/messages`, { query: of(employee), body: message });
export const acceptSession = (employee: Employee, account: string, customer: string): Promise<unknown> =>
  call('POST', `${sessionPath(employee, account, customer)}/accept`, { query: of(employee) });
export const endSession = (employee: Employee, account: string, customer: string): Promise<unknown> =>
  call('POST', `${sessionPath(employee, account, customer)}/end`, { query: of(employee) });
export const transferSession = (employee: Employee, account: string, customer: string, userid: string): Promise<unknown> =>
  call('POST', `${sessionPath(employee, account, customer)}/transfer`, { query: of(employee), body: { userid } });
export const setReceiving = (employee: Employee, receiving: boolean): Promise<Servicer[]> =>
  call('PUT', `${deskPath(employee)}/status`, { query: of(employee), body: { receiving } });
export const listAppMessages = (employee: Employee): Promise<AppMessage[]> =>
  call('GET', `${deskPath(employee)}/app-messages`, { query: { ...of(employee), limit: LIST_LIMIT } });
export const clickCard = (employee: Employee, id: number, key: string): Promise<AppMessage> =>
  call('POST', `${deskPath(employee)}/app-messages/${id}/click`, { query: of(employee), body: { key } });

// ---- switches
export const getFaults = (): Promise<Faults> => call('GET', '/faults');
export const setFaults = (faults: Faults): Promise<Faults> => call('PUT', '/faults', { body: faults });
export const expireTokens = (): Promise<{ expired: number }> => call('POST', '/faults/expire-tokens');
export const getClock = (): Promise<Clock> => call('GET', '/clock');
export const advanceClock = (seconds: number): Promise<Clock> => call('POST', '/clock', { body: { advance_seconds: seconds } });
export const resetClock = (): Promise<Clock> => call('POST', '/clock', { body: { offset_seconds: 0 } });
