/** Short names for what the generated schema calls by Python's. */
import type { components } from './generated/console';

export type { paths } from './generated/console';

type Schemas = components['schemas'];

/** A page of any list; every list of the server has this shape. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export type Me = Schemas['Me'];
export type Onboarding = Schemas['OnboardingOut'];
export type Industry = Schemas['IndustryOut'];
export type TodayLine = Schemas['TodayLineOut'];
export type Unanswered = Schemas['UnansweredOut'];
export type SecondFactor = Schemas['SecondFactorOut'];
export type Staff = Schemas['StaffOut'];
export type StaffCreate = Schemas['StaffIn'];
export type StaffUpdate = Schemas['StaffPatch'];
export type Department = Schemas['DepartmentOut'];
export type Person = Schemas['ColleagueOut'];
export type StaffImport = Schemas['StaffImportOut'];
export type AddressBook = Schemas['AddressBookOut'];
export type Role = Schemas['RoleOut'];
export type DataScope = Role['data_scope'];
export type DepartmentBrief = Schemas['DepartmentBrief'];
export type Roles = Schemas['RolesOut'];
export type PermissionGroup = Schemas['PermissionGroup'];
/** What staff are given a role by: a preset's name, or a role's id. */
export type RoleKey = NonNullable<Schemas['StaffIn']['role']>;

export type Check = Schemas['Check'];
export type CompanyInput = Schemas['CompanyIn'];
export type Ledger = Schemas['LedgerOut'];
export type LedgerEntry = Schemas['PrerequisiteOut'];
export type LedgerChange = Schemas['PrerequisitePatch'];
export type LedgerAsked = Schemas['AskedOut'];
export type WecomApp = Schemas['WecomAppOut'];
export type WecomAppCreate = Schemas['WecomAppIn'];
export type WecomAppUpdate = Schemas['WecomAppPatch'];
export type CallbackReceived = Schemas['CallbackOut'];

export type CustomerSummary = Schemas['CustomerRow'];
export type CustomerCard = Schemas['CustomerCard'];
export type Privacy = Schemas['PrivacyOut'];
export type RefusedPerson = Schemas['RefusedOut'];

export type ChannelAccount = Schemas['ChannelAccountOut'];
export type ChannelAccountUpdate = Schemas['ChannelAccountPatch'];
export type HostedPage = Schemas['HostedPageOut'];
export type AvailableAccount = Schemas['AvailableAccount'];
export type Servicer = Schemas['ServicerOut'];

export type ConversationRow = Schemas['ConversationRow'];
export type ConversationDetail = Schemas['ConversationDetail'];
export type ConversationCounts = Schemas['Counts'];
export type ConversationView = 'all' | 'mine' | 'waiting' | 'assistant' | 'closed';
export type Message = Schemas['MessageOut'];
/** A link, mini program, menu or place on its way to a customer. */
export type MessageCard = NonNullable<Schemas['MessageIn']['card']>;
export type MessagePage = Schemas['MessagePage'];
export type StoredFile = Schemas['huitouke__kernel__files__console__FileOut'];
/** What the stream `conversation` of the socket brings. */
export type ConversationFrame = { kind: 'message'; message: Message } | { kind: 'conversation'; conversation: ConversationDetail };

export type KnowledgeEntry = Schemas['EntryOut'];
export type KnowledgeEntryInput = Required<Schemas['EntryDraft']>;
export type EntryState = KnowledgeEntry['state'];
export type KnowledgeGroup = Schemas['GroupOut'];
export type KnowledgeImport = Schemas['ImportOut'];
export type KnowledgeField = 'question' | 'variants' | 'answer' | 'group' | 'state';
/** Which column, counted from 0, holds which field. */
export type ImportMapping = Partial<Record<KnowledgeField, number>>;
export type ImportMode = NonNullable<KnowledgeImport['mode']>;
export type Trace = Schemas['TraceOut'];
export type AssistantSettings = Schemas['SettingsOut'];
/** Exactly what may be sent, none of it left out. */
export type AssistantSettingsInput = { [Field in keyof Schemas['SettingsIn']]-?: NonNullable<Schemas['SettingsIn'][Field]> };
export type Tone = NonNullable<Schemas['SettingsIn']['tone']>;
export type ModelEndpoint = Schemas['ModelOut'];
export type ModelTest = Schemas['ModelTestOut'];

export type AuditEntry = Schemas['AuditEntryOut'];
export type DeadLetter = Schemas['DeadLetterOut'];

export type PlanShown = Schemas['PlanOut'];
export type SignUp = Schemas['SignUpIn'];
/** An operator of the platform who asks to be let in. */
export type Notice = Schemas['NoticeOut'];
export type NoticeSettings = Schemas['NoticeSettingsOut'];
export type NoticeKind = Schemas['KindOut'];
export type NoticeDelivery = Schemas['DeliveryOut'];
export type GroupRobot = Schemas['RobotOut'];
export type SmsAccount = Schemas['SmsAccountOut'];
export type GroupKind = Schemas['GroupKind'];
export type Visit = Schemas['VisitRow'];
