"""All texts of the page: definitions of the numbers, labels, and messages.

Rendered into `index.html`, where the page's script looks a text up by its key; `{name}` is a
placeholder for a value that the script inserts.
"""

from chalicelib.facts.reply_causes import ACTORS
from chalicelib.stats.alarm_texts import WORDS
from chalicelib.stats.counters import RATES
from chalicelib.stats.incidents import ALARM_KINDS, DONE, SENT_BY_DEFAULT

COUNTERS = {
    "sends": "Emails that SES accepted for sending, counted once per recipient.",
    "deliveries": "Emails that the recipient's mail server accepted, counted once per recipient.",
    "delivery_delays": "Deliveries that were delayed, for example because a mailbox was full.",
    "opens": "All opens reported by SES, including repeat opens and opens by bots.",
    "unique_opens": "Emails opened at least once, by a human or a bot.",
    "human_opens": "Opens in a regular email app or browser, including repeat opens.",
    "unique_human_opens": "Emails opened at least once by a human.",
    "machine_opens": "Opens by bots: privacy proxies, prefetching, and security scanners.",
    "clicks": "All clicks reported by SES, including repeat clicks and clicks by bots.",
    "unique_clicks": "Emails with at least one click, by a human or a bot.",
    "human_clicks": "Clicks in a regular browser, including repeat clicks.",
    "unique_human_clicks": "Emails with at least one human click, other than to unsubscribe.",
    "machine_clicks": "Clicks by bots, mostly security scanners that check every link.",
    "hard_bounces": "Emails that failed permanently, for example because the address does not "
    "exist.",
    "soft_bounces": "Emails that failed temporarily, for example because the mailbox was full. "
    "Includes out-of-office replies.",
    "undetermined_bounces": "Bounces for which SES could not determine a reason.",
    "complaints": "Emails that recipients marked as spam, as reported by their mailbox providers.",
    "rejects": "Emails that SES did not send because they contained a virus.",
    "rendering_failures": "Emails that were not sent because their template could not be rendered.",
    "unsubscribes": "Recipients who left a topic, or all topics, through the SES unsubscribe link.",
    "readers": "Emails opened or clicked by a human. A click counts because images may be off.",
    "unique_engaged": "Emails opened or clicked at least once, by a human or a bot.",
    "unique_private_opens": "Emails opened only by a privacy proxy, which loads every email: "
    "neither read nor unread.",
    "prevented": "Emails that SES did not send, because the address is on a suppression list, has "
    "unsubscribed, or failed validation. They are not bounces and do not affect your reputation.",
    "complaints_not_spam": "Reports that an email is not spam. They are in no rate.",
    "complaints_prevented": "Complaints that SES reports for addresses on a suppression list. They "
    "are in no rate.",
}

# Numerators and denominators of rates, in the middle of a sentence.
_NAMES = {
    "deliveries": "emails delivered",
    "attempted": "emails sent, except to suppressed addresses",
    "observable": "emails delivered, except those opened only by a privacy proxy",
    "hard_bounces": "hard bounces",
    "unique_opens": "unique opens",
    "unique_human_opens": "unique human opens",
    "readers": "emails read",
    "unique_clicks": "unique clicks",
    "unique_human_clicks": "unique human clicks",
    "unique_engaged": "emails opened or clicked",
    "complaints": "spam complaints",
    "unsubscribes": "unsubscribes",
}

# Explanations beyond the formula.
_OF_RATES = {
    "delivery": "All other emails bounced or are still being delivered.",
    "bounce": "If your account's hard bounce rate stays above 5%, Amazon may review your account.",
    "open": "Each email counts once, however often it is opened. Includes bots.",
    "human_open": "Each email counts once, however often it is opened.",
    "read": "Each email counts once if a human opened or clicked it. This is the least that can be "
    "said: images may be off, and privacy proxies hide opens.",
    "read_observable": "The most likely read rate: emails that only a privacy proxy opened are "
    "neither read nor unread.",
    "click": "Each email counts once, however often it is clicked. Includes bots.",
    "human_click": "Each email counts once, however often it is clicked. Clicks to unsubscribe are "
    "left out.",
    "click_to_open": "The share of opened emails that were also clicked. Includes bots.",
    "human_click_to_open": "The share of readers who clicked.",
    "complaint": "If your account's complaint rate stays above 0.1%, Amazon may review your "
    "account.",
    "unsubscribe": "Recipients who left a topic, or all topics, through the SES unsubscribe link.",
}

# Headings, columns, and series. `all` is every event of a campaign.
LABELS = {
    "all": "All activity",
    "sends": "Sent",
    "deliveries": "Delivered",
    "delivery_delays": "Delayed",
    "opens": "All opens",
    "unique_opens": "Unique opens",
    "human_opens": "Human opens",
    "unique_human_opens": "Unique human opens",
    "machine_opens": "Bot opens",
    "clicks": "All clicks",
    "unique_clicks": "Unique clicks",
    "human_clicks": "Human clicks",
    "unique_human_clicks": "Unique human clicks",
    "machine_clicks": "Bot clicks",
    "hard_bounces": "Hard bounces",
    "soft_bounces": "Soft bounces",
    "undetermined_bounces": "Bounces of unknown type",
    "complaints": "Spam complaints",
    "unsubscribes": "Unsubscribes",
    "rejects": "Rejected",
    "rendering_failures": "Template errors",
    "readers": "Read",
    "unique_engaged": "Opened or clicked",
    "unique_private_opens": "Opened by a privacy proxy only",
    "prevented": "Not sent: suppressed",
    "complaints_not_spam": "Reported as not spam",
    "complaints_prevented": "Complaints of suppressed recipients",
}

# Labels of a rate together with its count.
RATE_LABELS = {
    "delivery": "Delivered",
    "read": "Read",
    "human_open": "Human opens",
    "human_click": "Human clicks",
    "human_click_to_open": "Click-to-open",
    "bounce": "Hard bounces",
    "complaint": "Spam complaints",
    "unsubscribe": "Unsubscribes",
}

EVENTS = {
    "Send": "Sent",
    "Delivery": "Delivered",
    "Open": "Opened",
    "Click": "Clicked",
    "Bounce": "Bounced",
    "Complaint": "Spam complaint",
    "Subscription": "Unsubscribed",
    "DeliveryDelay": "Delayed",
    "Reject": "Rejected",
    "Rendering Failure": "Template error",
}

ENGAGERS = {"human": "Human", "machine": "Bot", "unknown": "Unknown"}

BOUNCE_TYPES = {"Permanent": "Hard", "Transient": "Soft", "Undetermined": "Unknown type"}

# Why a server refused or delayed an email (chalicelib/facts/reply_causes.py), and what to do.
REPLY_CAUSES = {
    "suppressed": "Not sent: on a suppression list",
    "no_mailbox": "Address does not exist",
    "no_domain": "Domain does not exist or accepts no email",
    "disabled": "Mailbox disabled",
    "full": "Mailbox full",
    "receives_too_much": "Mailbox receives too many emails",
    "restricted": "Refused by rules of the recipient's organization",
    "relay_denied": "Server is not responsible for the recipient's domain",
    "too_large": "Email too large for the mailbox",
    "attachment": "Attachment rejected",
    "unauthenticated": "Email not authenticated (SPF or DKIM)",
    "dmarc": "Email failed the DMARC check",
    "sender_address": "Sender's address rejected",
    "reverse_dns": "Sending server has no valid reverse DNS entry",
    "tls": "Encrypted connection required",
    "address_blocked": "IP address of the sending server blocked",
    "link_blocked": "Domain or link in the email blocked",
    "spam": "Rejected as spam",
    "complaints": "Delayed because of volume or complaints",
    "rate": "Too many emails at once",
    "policy": "Rejected by the provider's policy",
    "greylisted": "Delayed to check the sender (greylisting)",
    "expired": "Not delivered within the time limit",
    "unreachable": "Recipient's server not reachable",
    "loop": "Recipient's server forwards in a loop",
    "busy": "Recipient's server busy or failing",
}

REPLY_ADVICE = {
    "suppressed": "Remove the address from your list. If it is valid, remove it from the "
    "suppression list in the Amazon SES console.",
    "no_mailbox": "Remove the address from your list, and check the form or import it came from. "
    "Amazon SES reviews accounts from a bounce rate of 5%.",
    "no_domain": "Correct misspelled domains, such as gmial.com. Remove addresses whose domain "
    "is gone.",
    "disabled": "Remove the address from your list: the owner or the provider has closed it.",
    "full": "Wait. Remove the address if it also bounces in later campaigns: the mailbox is "
    "probably abandoned.",
    "receives_too_much": "Wait. Amazon SES tries again. Do not send to one address several times "
    "in short succession, as tests do.",
    "restricted": "Ask the recipient to have your domain allowed by their administrator, or "
    "remove the address.",
    "relay_denied": "The domain's DNS names a server that does not accept its email. Only its "
    "administrator can correct this. Remove the address if this persists.",
    "too_large": "Make the email smaller: link to images and files instead of attaching them.",
    "attachment": "Remove the attachment, or replace it with a link to the file.",
    "unauthenticated": "Set up DKIM for the domain in the From address, and a custom MAIL FROM "
    "domain for SPF, in the Amazon SES console. Pause sending to this provider until both are "
    "verified.",
    "dmarc": "Publish a DMARC record for the domain in the From address, and sign with DKIM for "
    "that domain, or use a custom MAIL FROM domain that is a subdomain of it. Do not use a From "
    "address of a domain that is not yours, such as gmail.com.",
    "sender_address": "Check the From address and the DNS records of its domain and of the "
    "custom MAIL FROM domain.",
    "reverse_dns": "Open an Amazon SES support case with the reply: Amazon SES operates the "
    "sending servers and their DNS entries.",
    "tls": "Open an Amazon SES support case with the reply: Amazon SES encrypts the connection "
    "whenever the server offers it.",
    "address_blocked": "Pause sending to this provider. With dedicated IP addresses, ask the "
    "blocklist or provider named in the reply for removal, after removing old and unconfirmed "
    "addresses. With shared ones, open an Amazon SES support case with the reply.",
    "link_blocked": "Look up your domains, and those that the email links to, in the blocklist "
    "named in the reply. Avoid public link shorteners.",
    "spam": "Pause sending to this provider. Send to recipients who opened recently first, and "
    "check subject, links and consent of the rest. Postmaster tools of the provider show your "
    "reputation.",
    "complaints": "Slow down, and send to recipients who opened recently first. Check the "
    "complaint rate, and that unsubscribing takes one click.",
    "rate": "Spread the emails over a longer time. Increase the volume step by step if the "
    "domain or IP address is new. Amazon SES tries again.",
    "policy": "Read the reply: it often names a form or a rule of the provider. Check "
    "authentication, complaints and content.",
    "greylisted": "Nothing. Amazon SES tries again after some minutes, and the server then "
    "accepts the email.",
    "expired": "Nothing now. Amazon SES tried for the time set in the configuration set, at most "
    "14 hours. Remove addresses to which this happens repeatedly.",
    "unreachable": "Wait. Amazon SES tries again. If this persists, the domain's servers are "
    "down or gone.",
    "loop": "Only the administrator of the recipient's domain can correct this. Remove the "
    "address if this persists.",
    "busy": "Wait. Amazon SES tries again.",
}

REPLY_ACTORS = {
    "sender": "You can act",
    "recipient": "The recipient's side can act",
    "provider": "Wait for the provider",
    "ses": "Amazon SES can act",
}

# An unknown subtype is shown by its name.
# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-types
BOUNCES = {
    "Permanent/General": "Address rejected permanently",
    "Permanent/NoEmail": "Recipient address missing from the bounce message",
    "Permanent/Suppressed": "Not sent: on the Amazon SES global suppression list",
    "Permanent/OnAccountSuppressionList": "Not sent: on your account's suppression list",
    "Permanent/OnTenantSuppressionList": "Not sent: on your tenant's suppression list",
    "Permanent/EmailValidationSuppressed": "Not sent: address failed Amazon SES email validation",
    "Permanent/UnsubscribedRecipient": "Not sent: recipient has unsubscribed",
    "Permanent/AutoReply": "Out-of-office replies",
    "Permanent/Other": "Permanent failure for another reason",
    "Transient/General": "Temporary failure",
    "Transient/AutoReply": "Out-of-office replies",
    "Transient/MailboxFull": REPLY_CAUSES["full"],
    "Transient/MessageTooLarge": REPLY_CAUSES["too_large"],
    "Transient/CustomTimeoutExceeded": "Not delivered within the time limit that you set",
    "Transient/ContentRejected": "Content rejected (spam or policy filter)",
    "Transient/AttachmentRejected": REPLY_CAUSES["attachment"],
    "Transient/Other": "Temporary failure for another reason",
    "Undetermined/Undetermined": "Bounced without a reason",
    "Undetermined/AutoReply": "Out-of-office replies",
    "Undetermined/Other": "Bounced without a reason",
}

REASONS = {
    "ses_likely": "likely a bot, according to SES",
    "no_agent": "no user agent",
    "apple_mail_privacy": "Apple Mail Privacy Protection preload",
    "scanner_agent": "bot, according to its user agent",
    "prefetch": "prefetched within seconds of sending",
    "proxy_at_open_time": "opened through the mailbox provider's image proxy",
    "persons_agent": "regular email app or browser",
    "unrecognised_agent": "user agent not recognized",
    "burst": "security scanner: several links at the same moment",
    "sweep": "security scanner: several links soon after sending, and nothing opened before",
    "early_click": "security scanner: clicked too soon after sending to have been read",
    "outdated_agent": "security scanner: browser version of years ago, and nothing opened before",
    "click_at_open": "security scanner: clicked within seconds of loading the images",
    "check_at_click": "security scanner: checked the link just before the click",
    "echo": "security scanner: repeats a click by another browser within seconds",
    "open_by_clicking_bot": "loaded by the security scanner that also clicked",
    "quiet_network": "security scanner: nearly every email that was clicked from its network was "
    "clicked before anything was opened",
    "scanner_network": "security scanner: other emails were clicked from its network by bots",
    # Given by earlier versions of the rules only.
    "ses_unlikely": "unlikely to be a bot, according to SES",
}

STATUS = {
    "connecting": "Connecting…",
    "live": "Live",
    "behind": "Behind",
    "stale": "Reconnecting…",
    "offline": "Offline",
    "ended": "Disconnected",
    "reconnected": ", reconnected after {duration}",
    "last_event": "last event {ago}",
    "no_events": "no events yet",
    "late": "by about {duration}",
    "as_of": "as of {time}",
    "retry": "Retry now ({seconds} s)",
}

PROBLEMS = {
    "checked_at": "The last health check was {ago}. There should be one every five minutes.",
    "paused_at": "Counting was paused {ago} for a recount. New events wait in the queue; "
    "no events are lost.",
    "oldest_seconds": "Events waiting to be stored: {count}. The oldest one arrived {ago}.",
    "stream_lag_seconds": "Stored events are counted with a delay of {count} s.",
    "dead_letters": "Messages in the dead-letter queue: {count}. For the reasons, run "
    "python -m dashboard dlq list",
    "quarantined": "Stored events that could not be counted: {count}.",
    "unknown_types": "Events of an unsupported type, stored but not counted: {count}.",
    "untracked": "Delivered but never opened: {names}. Check that open tracking is enabled.",
    "unsent": "Delivered but never sent: {names}. Without Send events there is no bounce rate. "
    "Check that the SES event destination includes sends.",
}

HEALTH = {
    "none": "No events yet",
    "ok": "Pipeline OK",
    "note": "Pipeline needs attention",
    "late": "Numbers are delayed",
    "last_event_at": "When the latest SES event was stored, to the minute.",
    "waiting": "Events from SES that are not stored yet.",
    "oldest_seconds": "Age of the oldest event that is not stored yet.",
    "stream_lag_seconds": "Age of the oldest stored event that is not counted yet.",
    "shown": "When this page last heard from the server.",
    "dead_letters": "Messages that could not be ingested, kept together with the reason.",
    "quarantined": "Stored events with invalid data.",
    "unknown_types": "Events of a type that Mailpulse does not support yet.",
    "untagged": "Events counted under their configuration set, or as untagged.",
    "checked_at": "Checked every minute; stored every five minutes while nothing changes.",
}

PIPELINE = {
    "title": "Pipeline status",
    "about": "Whether the numbers on this page are complete and up to date.",
    "ok": "All systems normal.",
    "none": "No events have arrived yet. Send an email with a configuration set whose event "
    "destination is the SNS topic of Mailpulse. For a check of each step, run "
    "python -m dashboard doctor",
    "last_event_at": "SES: last event",
    "waiting": "Queue: events waiting",
    "oldest_seconds": "Queue: delay",
    "stream_lag_seconds": "Counting: delay",
    "shown": "Page: last update",
    "dead_letters": "Dead-letter queue",
    "quarantined": "Could not be counted",
    "unknown_types": "Unsupported type",
    "untagged": "No campaign tag",
    "checked_at": "Last checked",
}

HOPS = {
    "title": "How long events take",
    "hop": "Step",
    "p50": "half within",
    "p99": "99% within",
    "ses": "SES",
    "queue": "Storing",
    "count": "Counting",
    "page": "This page",
    "total": "From the event to this page",
    "counted": "From the event until it is counted",
    "well": "Half of the {events} events of the last five minutes took at most {time}. The goal is "
    "{budget} s.",
    "late": "Half of the {events} events of the last five minutes took up to {time}, more than the "
    "goal of {budget} s.",
    "look": "Measured while you look at a campaign or the list of campaigns.",
    "none": "No events in the last five minutes.",
    "unknown": "Not measured yet. The first values follow within two minutes.",
}

HOPS_HELP = {
    "p50": "Half of the events of the last five minutes took at most this long. Measured to "
    "within a fifth.",
    "p99": "Of a hundred events, 99 took at most this long. Measured to within a fifth.",
    "ses": "From the event, such as a click, until SES delivered it to the queue of Mailpulse. "
    "Without bounces and complaints, whose times are those of other servers, and without events "
    "that were more than an hour old, such as replayed ones.",
    "queue": "From the queue until the event was stored, to half a second.",
    "count": "From storing until the event was included in the numbers, to half a second.",
    "page": "From counting until the numbers were on this page, by this computer's clock: the "
    "newest event of each update in the last five minutes.",
    "total": "The whole way. Bars end at the goal of 10 s: the dark part is half of the events, "
    "the light one 99%.",
}

RECONCILED = {
    "title": "Compared with SES",
    "none": "Not compared yet. SES's own numbers of a day are read after midnight UTC.",
    "metric": "Number",
    "ours": "Mailpulse",
    "ses": "SES",
    "difference": "Difference",
    "agrees": "On {day} (UTC), Mailpulse and SES agree: every difference is explained.",
    "nearly": "On {day} (UTC), Mailpulse and SES agree, except for {count} events.",
    "differs": "On {day} (UTC), differences of {count} events from SES are unexplained.",
    "nothing": "On {day} (UTC), nothing was sent, opened or clicked.",
    "unexplained": "unexplained: {count}",
    "cause": "{cause} (up to {most})",
    "unpublished_metric": "SES has not published this number",
    "remedy": "SES also counts emails of other applications in the same account. For more "
    "explanations, run python -m dashboard reconcile --facts",
    "denied": "Mailpulse is not permitted to read SES's numbers of {day}. Deploy it again: its "
    "watch function needs the permission cloudwatch:GetMetricData.",
    "unpublished": "SES has published no numbers of {day} in this region.",
    "too_many": "There are too many campaigns for a daily comparison. Run "
    "python -m dashboard reconcile",
    "failed": "SES's numbers of {day} could not be read. The next attempt follows within an hour.",
}

RECONCILED_HELP = {
    "difference": "What Mailpulse counted, less what SES counted by itself. Some differences have "
    "known reasons, such as events around midnight; the rest is unexplained.",
}

RECONCILED_METRICS = {
    "sends": "Sent",
    "deliveries": "Delivered",
    "bounces": "Bounces",
    "complaints": "Complaints",
    "rejects": "Rejected",
    "rendering_failures": "Rendering failures",
    "opens": "Opens",
    "clicks": "Clicks",
}

# The names of the causes in chalicelib/insight/difference_causes.py.
CAUSES = {
    "several_recipients": "emails to several recipients",
    "repeated_reports": "repeated reports of a bounce or complaint",
    "simulator": "test emails to SES's mailbox simulator",
    "suppressed": "addresses on a suppression list",
    "not_spam": "reports that an email is not spam",
    "automatic_replies": "automatic replies",
    "undetermined": "bounces without a recognizable reason",
    "around_midnight": "events around midnight",
    "reported_later": "counted by SES on another day",
    "waiting": "events that wait in the queue",
    "dead_letters": "messages in the dead-letter queue",
    "quarantined": "stored events that could not be counted",
    "other_configuration_sets": "other configuration sets",
    "before_the_first_event": "before the first event of Mailpulse",
}

RUNWAY = {
    "title": "Distance to SES's limits",
    "rate": "{kind} rate: {rate}.",
    "over": "That is above {line}, from which SES may pause sending.",
    "review": "SES reviews the account",
    "pause": "SES may pause sending",
    "unknown": "At {line}, {what}. Too little was sent lately for an estimate.",
    "about": "About {remaining} more {kind} until {what}, at {line}.",
    "range": "About {remaining} more {kind} ({low} to {high}) until {what}, at {line}.",
    "most": "At most {remaining} more {kind} until {what}, at {line}.",
    "doubt": "This is uncertain: SES's rate is not that of any recent period.",
    "basis": "Estimated from the emails of the last {days} days, if no more are sent.",
    "farther": "Estimated from the emails of the last {days} days, if no more are sent. Mailpulse "
    "counts only {share} of the account's emails, so the account is probably farther away.",
    "unknown_rates": "SES has not published the account's bounce and complaint rates.",
}

RUNWAY_RATES = {"bounces": "Hard bounce", "complaints": "Complaint"}
RUNWAY_KINDS = {"bounces": "hard bounces", "complaints": "complaints"}

RECOUNTS = {
    "title": "Last recount",
    "none": "A recount counts all stored events again and compares the result with the numbers on "
    "this page. None has been completed for all campaigns. To run one: "
    "python -m dashboard recount --all",
    "all": "{time}, {campaigns} campaigns: {counters} numbers compared with {facts} stored events.",
    "one": "{time}, campaign {of}: {counters} numbers compared with {facts} stored events.",
    "clean": "No differences.",
    "corrected": "{differences} differed, by {drift} in all, and were corrected.",
    "differs": "{differences} differ, by {drift} in all. To correct them: "
    "python -m dashboard recount --apply",
}

PAGE = {
    "skip": "Skip to the numbers",
    "loading": "Loading…",
    "no_events": "No events yet.",
    "all_campaigns": "All campaigns",
    "see_all": "See all campaigns",
    "download": "Download CSV",
    "show_all": "Show all",
    "show_more": "Show more",
    "zone": "times in {zone}",
    "times_in": "times in",
    "bad_link": "Some of this link could not be used, and is ignored:",
    "dismiss": "Dismiss",
    "printed": "As of {time} ({zone})",
    "sparkline": "Human opens over time",
    "unreachable": "Cannot connect to Mailpulse at {address}. Reconnecting… Check that Mailpulse "
    "is running.",
    "offline": "You are offline. Reconnecting…",
    "last": "The numbers below are the latest available.",
    "unknown": "Page not found",
    "unknown_hash": "There is no page at {hash}.",
    "forbidden": "You do not have access to these statistics:",
    "refused": "These statistics could not be loaded:",
    "retrying": "Retrying automatically.",
    "untracked": "These emails were delivered but never opened. Open and click tracking is "
    "probably disabled: bots alone usually open some emails within an hour. Check that the SES "
    "event destination includes opens and clicks, and that the emails are HTML.",
    "unsent": "These emails were delivered, but SES reported no sends, so there is no delivery or "
    "bounce rate. Check that the SES event destination includes sends.",
    "not_loaded": "This part of the page could not be loaded. Reload the page.",
    "unreadable": "The server sent a message that this page cannot read: {error}. Reload the page. "
    "If the problem continues, deploy the page and the functions from the same version.",
    "no_address": "The page cannot connect to {address}: {error}. Publish the page again with a "
    "WebSocket URL that starts with wss:// (or ws:// for a page on http://).",
}

LIST = {
    "title": "Campaigns",
    "compare": "Compare",
    "search": "Search campaigns",
    "search_hint": "Name, subject, sender or date ( / )",
    "campaign": "Campaign",
    "started": "Started",
    "trend": "Over time",
    "active": "active now",
    "bad": "high",
    "watch": "too few to judge",
    "more": "Show more ({count} left)",
    "most": "This page shows at most {count} campaigns. To see others, narrow the list.",
    "failed": "The campaigns could not be loaded ({reason}).",
    "retry": "Try again",
    # Filters
    "filters": "Filters and order",
    "filtered": ", filtered",
    "period": "Started",
    "period_hint": "When a campaign's first email was sent. Days are UTC days.",
    "all": "At any time",
    "last_7": "Last 7 days",
    "last_30": "Last 30 days",
    "last_90": "Last 90 days",
    "last_365": "Last 365 days",
    "custom": "Other dates…",
    "from": "From",
    "to": "To",
    "sender": "Sender",
    "sender_hint": "Part of a name",
    "tag": "Tag",
    "tag_hint": "variant=b",
    "tests": "Test campaigns",
    "tests_0": "Hidden",
    "tests_1": "Shown",
    "test": "test",
    "one_test_hidden": "1 test campaign is hidden.",
    "tests_hidden": "{count} test campaigns are hidden.",
    "show_tests": "Show",
    "clear": "Clear filters",
    # The order
    "sort": "Sort by",
    "by_last_event_at": "Latest activity",
    "by_first_event_at": "Start",
    "by_delivery": "Delivery rate",
    "by_read": "Read rate",
    "by_human_click": "Human click rate",
    "by_bounce": "Hard bounce rate",
    "by_complaint": "Spam complaint rate",
    "by_unsubscribe": "Unsubscribe rate",
    "by_pace": "Pace",
    "by_sends": "Number sent",
    "by_deliveries": "Number delivered",
    "by_readers": "Number read",
    "by_unique_human_clicks": "Number of human clicks",
    "by_hard_bounces": "Number of hard bounces",
    "by_complaints": "Number of spam complaints",
    "by_unsubscribes": "Number of unsubscribes",
    "time_desc": "Newest first",
    "time_asc": "Oldest first",
    "number_desc": "Highest first",
    "number_asc": "Lowest first",
    "sorted": "The numbers are live; the order is as of {time}.",
    "sort_again": "Sort again",
    # Pace
    "pace_above": "▲ {ratio} \N{MULTIPLICATION SIGN}",
    "pace_below": "▼ {ratio} \N{MULTIPLICATION SIGN}",
    "pace_usual": "{ratio} \N{MULTIPLICATION SIGN}",
    "pace_none": "\N{EN DASH}",
    "pace_is_above": "{ratio} times usual, above the usual range",
    "pace_is_below": "{ratio} times usual, below the usual range",
    "pace_is_usual": "{ratio} times usual, in the usual range",
    "pace_is_none": "No comparison: too early, fewer than 200 delivered, or fewer than 5 earlier "
    "campaigns of this sender",
    # Totals
    "every": "All {count} campaigns",
    "every_one": "1 campaign",
    "match": "All {count} campaigns that match",
    "match_one": "The 1 campaign that matches",
    "as_of": "as of {time}",
    "earlier_release": "Dashes are unknown numbers: an earlier release counted some of these "
    "campaigns. To count them by the current definitions, run",
    "recount_command": "python -m dashboard recount --all --apply",
    # No results, and the printed page
    "none_match": "No campaign matches {filters}.",
    "printed_filters": "Only campaigns that match {filters}.",
    "printed_order": "Sorted by: {sort}, {order}.",
    "filter_search": "“{search}”",
    "filter_between": "the period from {from} to {to}",
    "filter_from": "the period from {from}",
    "filter_to": "the period until {to}",
    "filter_sender": "the sender “{sender}”",
    "filter_tag": "the tag {tag}",
    "filter_and": " and ",
    # Parameters of the URL that cannot be used
    "bad_q": "the search may have at most 200 characters.",
    "bad_sort": "the list has no such column. Choose one under “Sort by”.",
    "bad_order": "the order is “asc” or “desc”.",
    "bad_from": "not a date, such as 2026-11-23.",
    "bad_to": "not a date, such as 2026-11-23.",
    "bad_period": "this day is after the last day of the period.",
    "bad_sender": "the sender may have at most 200 characters.",
    "bad_tag": "a tag is a name and a value of at most 200 characters, such as variant=b.",
    "bad_tests": "test campaigns are shown (1) or hidden (0).",
    "bad_rows": "the number of rows is 1 to 1000.",
    "bad_unknown": "the list has no such setting.",
    "bad_repeated": "given more than once. The first value is used.",
}

# The views, in the titles of browser tabs. A campaign's is its name.
VIEWS = {
    "list": LIST["title"],
    "health": PIPELINE["title"],
    "compare": "Compare campaigns",
    "activity": "Activity",
    "recipients": "Recipients",
    "report": "Report",
    "wall": "Wall screen",
    "unknown": PAGE["unknown"],
}

REPORT = {
    "print": "Print or save as PDF",
    "terms": "What the numbers mean",
}

CAMPAIGN = {
    "wall": "Wall screen",
    "compare": "Compare",
    "waiting": "No such campaign yet.",
    "waiting_hint": "Numbers appear here automatically when you send an email with the tag "
    "campaign={id}.",
    "from": "From",
    "started": "Started {time}",
    "last_event": "Last event {ago}",
    "key_numbers": "Key numbers",
    "including_bots": "Including bots",
    "of_sent": "of {total} sent",
    "of_attempted": "of {total} attempted",
    "missing": "No rate: SES reported no {event} events, or not all of them.",
    "recount": "Some figures use the definitions of an earlier release.",
    "recount_how": "To apply the current ones, run",
    "recount_command": "python -m dashboard recount {id} --apply",
    "of_delivered": "of {total} delivered",
    "bounce_05": "Above 5%, Amazon may review your account",
    "bounce_1": "Above 10%, Amazon may pause your sending",
    "complaint_001": "Above 0.1%, Amazon may review your account",
    "complaint_005": "Above 0.5%, Amazon may pause your sending",
    "too_few": "{count} of {total}, too few to judge",
    "added": "+{count} in {minutes} min",
    "per_minute": "{count} per minute now",
    "last_sent": "Last one {time}",
    "suppressed": "{count} not attempted: suppressed",
    "announcement": "{sent} sent, {delivered} delivered, {opened} read and {clicked} clicked by "
    "humans.",
}

VERDICTS = {
    "human_opens_above": "Human opens above usual.",
    "human_opens_usual": "Human opens as usual.",
    "human_opens_below": "Human opens below usual.",
    "human_clicks_above": "Human clicks above usual.",
    "human_clicks_usual": "Human clicks as usual.",
    "human_clicks_below": "Human clicks below usual.",
}

# The key numbers and the funnel of terminals and of documents; the page has one row for both.
KEY_NUMBERS = {
    "opened": "Read rate",
    "clicked": "Click rate",
    "bounced": "Hard bounce rate",
    "complained": "Spam complaint rate",
    "prevented": "not sent: suppressed",
    "rejected": "rejected",
    "template_errors": "template errors",
    "delayed": "delayed",
    "hard": "hard bounces",
    "soft": "soft",
    "replies": "out-of-office replies",
    "undetermined": "of unknown type",
}

FUNNEL = {
    "title": "Funnel",
    "step": "Step",
    "emails": "Emails",
    "of_step": "Of the step before",
    "of_delivered": "Of delivered",
    "prevented": "{count} of the sent emails were not attempted, because their addresses are "
    "suppressed. No rate includes them.",
}

PROBLEMS_OF_CAMPAIGN = {
    "title": "Problems",
    "none": "No problems",
    "one": "1 problem",
    "several": "{count} problems",
    "too_few": "No problems, but too few emails to judge bounces and complaints",
    "bounce": "Too many hard bounces",
    "complaint": "Too many spam complaints",
    "delivery_delays": "{provider}: more delays than elsewhere",
    "hard_bounces": "{provider}: more hard bounces than elsewhere",
    "soft_bounces": "{provider}: more soft bounces than elsewhere",
    "others": "Other providers",
    "prevented": "Suppressed addresses. Not held against you, and in no rate",
    "late_bounces": "Some emails bounced after the recipient's mail server had accepted them, so "
    "delivered and bounced emails are more than sent ones.",
}

BOTS = {
    "title": "Humans and bots",
    "range": "At least {least}% read it, most likely {likely}%, at most {most}%.",
    "bounds": "At least {least}% read it, at most {most}%.",
    "of_which": "{points} of these {most} points are bots and privacy proxies.",
    "human": "Human",
    "bot": "Bot",
    "unknown": "Unknown",
    "why": "Why are there two numbers?",
    "reclassified": "While you were watching, {changes} were reclassified as bot traffic and left "
    "the human counts.",
    "and": " and ",
    "opens": "{count} opens",
    "clicks": "{count} clicks",
    "kinds": "Which bots",
    "provisional": "{shares} came in the last 15 minutes and may still be reclassified.",
    "share_of_opens": "{share} of opens",
    "share_of_clicks": "{share} of clicks",
    "labeled": "SES has labeled {share} of these opens and clicks as likely or unlikely a bot. "
    "{agree} of its labels agree with this classification, and {differ} differ.",
    "unlabeled": "SES has not labeled any of these opens and clicks as likely or unlikely a bot.",
}

PACE = {
    "title": "Pace",
    "human_opens": "Usually {low} to {high} human opens by now",
    "human_clicks": "Usually {low} to {high} human clicks by now",
    "usual": "As usual",
    "above": "▲ {ratio} \N{MULTIPLICATION SIGN} usual",
    "below": "▼ {ratio} \N{MULTIPLICATION SIGN} usual",
    "not_yet": "Too early to tell",
    "after_24": "After 24 hours: {expected} expected ({low} to {high})",
    "after_168": "After 7 days: {expected} expected ({low} to {high})",
    "compared": "Compared with {count} earlier campaigns of this sender at the same age.",
    "too_few": "Not enough history yet: {count} of {needed} earlier campaigns of this sender with "
    "at least 500 delivered emails.",
    "too_early": "Too early to tell.",
    "none": "No comparison with earlier campaigns yet.",
}

# Names are in isolates, because they may have another direction than the sentence.
COMPARE = {
    "title": "Compare campaigns",
    # Choosing campaigns
    "choose": "Choose campaigns",
    "close": "Done",
    "hint": "Choose 2 to {most} campaigns.",
    "one_more": "Choose at least one more campaign.",
    "chosen": "{count} of {most} chosen",
    "none_found": "No campaign matches “{search}”.",
    "left_out": "A comparison has at most {most} campaigns. Left out: {names}.",
    "no_events": "No events of {names}. The name may be wrong, or nothing has been sent yet.",
    # What the comparison says: the end of a sentence, or its beginning
    "at_same_age": "{age} after sending, {said}",
    "still_sent": "Emails of these campaigns are still being sent. Once the last one is a minute "
    "old, all campaigns are compared at the same age.",
    "first_minute": "less than 1 min",
    "nothing": "Nothing to compare yet: fewer than two of these campaigns have delivered emails.",
    "both": "{best} is clearly ahead: {rate} human opens ({points} points above {second}) and "
    "{click_rate} human clicks ({click_points} points above {click_second}).",
    "human_open_clear": "{best} has the highest human open rate, {rate}, {points} points above "
    "{second}",
    "human_open_unclear": "{best} has the highest human open rate, {rate}, but chance may explain "
    "its lead over {second} ({other})",
    "human_open_none": "there is no clear difference in human opens ({lowest} to {rate})",
    "human_click_clear": "{best} has the highest human click rate, {rate}, {points} points above "
    "{second}",
    "human_click_unclear": "{best} has the highest human click rate, {rate}, but chance may "
    "explain its lead over {second} ({other})",
    "human_click_none": "there is no clear difference in human clicks ({lowest} to {rate})",
    # The table
    "rates": "Rates",
    "rate": "Rate",
    "age": "Age",
    "age_help": "The time since the campaign's first email was sent, rounded down.",
    "reference": "reference",
    "use": "Set as reference",
    "use_as_reference": "Set as reference: {name}",
    "remove": "Remove",
    "remove_name": "Remove: {name}",
    "points": "{points} points",
    "from_to": "({low} to {high})",
    "higher": "▲ higher",
    "lower": "▼ lower",
    "unclear": "no clear difference",
    "of_totals": "totals so far",
    "of_same_age": "opens and clicks within {age} of each email; other rates are totals so far",
    "human_open_after": "Human opens after {age}",
    "human_open_so_far": "Human opens so far",
    "human_click_after": "Human clicks after {age}",
    "human_click_so_far": "Human clicks so far",
    "about": "Differences to the reference are in percentage points, with intervals of 95%.",
    "what": "What do the intervals cover?",
    "interval": "Chance only: with a probability of 95%, the true differences of a rate are all "
    "within their intervals. An interval that contains 0 is no clear difference. The intervals do "
    "not cover what else differs between campaigns, such as the audience, the weekday or the "
    "offer.",
    # The curves
    "by_age": "By age of the email",
    "of_delivered": "share of delivered emails",
    "after": "share of delivered emails after {age}",
    "metric": "Curve",
    "curve": "An email's age is the time since SES accepted it. While a campaign is being sent, "
    "its latest emails are missing at higher ages.",
    "table_label": "Curves as a table",
}
_PACE = (
    "Human opens, or human clicks, divided by what is usual for campaigns of this sender at the "
    "same age, when it was last computed: each minute, and each hour after two days, until the "
    "campaign is a week old."
)

VARIANTS = {
    "title": "Variants",
    "tag": "Message tag",
    "value": "Value",
    "rest": "All other emails",
    "best": "best",
    "decided": "{value} is best, with a probability of {probability}.",
    "too_early": "Too early to tell: {value} leads ({probability}).",
    "too_few": "Too few deliveries to judge: {count} of {needed} for {value}.",
    "one": "Only one value so far: there is nothing to compare.",
    "failed": "The variants could not be compared ({reason}).",
    "probability": "Probability of being best",
    "probability_help": "The probability that the human click rate of this variant is the highest, "
    "from its deliveries and clicks so far. It assumes that recipients were assigned to the "
    "variants at random. At most six variants are compared, those with the most deliveries.",
    "more_than": "more than {probability}",
    "what": "What does the probability say?",
    "peeking": "A variant is called best from 99% on. Deciding at the first favorable moment is "
    "wrong more often than the probability says: in simulated campaigns with two equal variants, "
    "one of them exceeded 95% at one of 20 looks in a quarter of the cases.",
}

KINDS_OF_BOTS = {
    "privacy_proxy": "Apple Mail privacy proxy",
    "prefetch": "Mailbox prefetch",
    "security_scanner": "Security scanner",
    "declared_bot": "Self-declared bot",
    "other": "Other",
}
KINDS_OF_BOTS_HELP = {
    "privacy_proxy": "Preloads the images of every email, whether it is read or not.",
    "prefetch": "A mailbox provider fetches images and links within seconds of sending.",
    "security_scanner": "Opens emails and follows their links to check that they are safe.",
    "declared_bot": "Its user agent says that it is a bot.",
    "other": "Labeled as a likely bot by SES, without a sign of its kind; or classified by an "
    "earlier version of the rules.",
}

TIMELINE = {
    "title": "Timeline",
    "axis": "Horizontal axis",
    "clock": "Clock time",
    "age": "Age",
    "sending": "Sending",
    "engagement": "Engagement",
    "interval": "Interval",
    "minute": "Minutes",
    "hour": "Hours",
    "day": "Days",
    "minute_span": "last 2 hours of activity",
    "hour_span": "last 3 days of activity",
    "day_span": "since the first event",
    "zoom_in": "Zoom in",
    "zoom_hint": "Drag across a chart to zoom.",
    "table": "Show as table",
    "table_label": "Timeline as a table",
    "utc_days": "each bar is a UTC day, such as from {time}",
    "time": "Time",
    "expired": "Minutes are kept for two days. Switch to hours or days to see this campaign.",
    # Parameters of the URL that cannot be used
    "bad_age": "the chart by age shows human_opens or human_clicks.",
    "bad_grain": "the interval is minute, hour or day.",
    "bad_from": "not a time in UTC, such as 2026-11-23T10:00Z.",
    "bad_to": "not a time in UTC, such as 2026-11-23T10:00Z.",
    "bad_range": "a period has a beginning (from) and a later end (to).",
    "bad_hide": "not numbers of the timeline, such as opens,human_opens.",
    "bad_unknown": "the timeline has no such setting.",
    "bad_repeated": "given more than once. The first value is used.",
}

NOTES = {
    "title": "Notes",
    "mark": "{text}. {time}",
    "none": "Add a note",
    "one": "{count} note",
    "some": "{count} notes",
    "by": "by",
    "before": "Not on the chart: before its beginning.",
    "after": "Not on the chart: after its end.",
    "time": "Time",
    "note": "Note",
    "hint": "Reminder sent",
    "add": "Add note",
    "added": "The note was added.",
    "remove": "Remove",
    "remove_one": "Remove the note “{text}”",
    "remove_now": "Remove for all",
    "keep": "Keep",
    "removed": "The note was removed.",
    "failed": "The note was not changed: {reason}",
    "who": "All who see this campaign see its notes, except holders of share links. "
    "Times are in {zone}.",
}

AGE = {
    "minutes": "{count} min",
    "hours": "{count} h",
    "day": "{count} day",
    "days": "{count} days",
}
BY_AGE = {
    "show": "Count",
    "this": "This campaign",
    "band": "Usual range (80%) of {count} earlier campaigns",
    "expected": "Expected",
    "usually": "Usually",
    "range": "{low} to {high}",
    "at": "at {age}",
    "age": "Age",
    "ratio": "{ratio} times your usual at {age}: {actual}, usually {low} to {high}.",
    "usual": "As usual at {age}: {actual}, usually {low} to {high}.",
    "too_few": "Not enough history yet: {count} of {needed} campaigns.",
    "failed": "What is usual could not be loaded: {reason}",
    "hint": "Emails opened or clicked by a human, by the time since the first event.",
    "table_label": "Timeline by age as a table",
}

LINKS = {
    "title": "Links",
    "link": "Link",
    "unique_human_clicks": "Humans",
    "human_clicks": "Human clicks",
    "clicks": "All clicks",
    "unsubscribe": "Unsubscribe and preferences: not part of the click rate",
    "none": "No clicks yet.",
    "other": "All other links",
    "first": "Show the top {count}",
    "all": "Show all {count}",
}

ACTIVITY = {
    "live": "Live activity",
    "none_live": "No opens, clicks, bounces, or complaints yet.",
    "about": "Opens, clicks, bounces, complaints, and other events, newest first.",
    "show": "Show",
    "filtered": "Filtered by",
    "showing": "Showing {count}",
    "showing_of": "Showing {count} of {total}",
    "showing_first": "Showing the newest {count}",
    "newest": "Back to newest",
    "exporting": "Exporting: {count} events…",
    "failed": "Download failed: {reason}",
    "time": "Time",
    "event": "Event",
    "recipient": "Recipient",
    "details": "Details",
    "none": "No events of this type yet.",
    "unknown": "There is no such statistic.",
    "back": "Back to the campaign",
    "by_minute": "By minute, newest first. Individual emails are not listed.",
    "by_hour": "By hour, newest first. Individual emails are not listed.",
    "by_day": "By day, newest first. Individual emails are not listed.",
    "bounces": "Bounces",
    "no_bounces": "No bounces.",
    "not_a_bounce": "Not a bounce",
    "reported": "reported as {recipient}",
}

PROVIDERS = {
    "title": "Mailbox providers",
    "provider": "Provider",
    "sends": "Sent",
    "delivered": "Delivered",
    "delivery_delays": "Delays",
    "hard_bounces": "Hard bounces",
    "soft_bounces": "Soft bounces",
    "complaints": "Spam complaints",
    "opened": "Human opens",
    "clicked": "Human clicks",
    "recent": "{count} in {minutes} min",
    "above_delivery_delays": "More delays than elsewhere",
    "above_hard_bounces": "More hard bounces than elsewhere",
    "above_soft_bounces": "More soft bounces than elsewhere",
    "other": "All others",
    "all": "Campaign",
    "hint": "Opens, clicks and complaints are of delivered emails, the other rates of emails that "
    "Amazon SES tried to send. ▲ marks what is significantly above the other providers.",
    "replies": "Replies of mail servers",
    "reply": "Reply and what to do",
    "from": "Providers",
    "count": "Replies",
    "unknown_cause": "Cause not known",
}

WEEK = {
    "title": "When are emails opened?",
    "label": "Human opens by weekday and hour",
    "loading": "Loading… {count} of {total} campaigns",
    "none": "No human opens yet.",
    "busiest": "Most human opens come on {day} from {from} to {to}: {share} of them.",
    "covers": "{opens} human opens, with repeats, of {count} campaigns, in the time zone {zone}.",
    "covers_one": "{opens} human opens, with repeats, of one campaign, in the time zone {zone}.",
    "covers_newest": "{opens} human opens, with repeats, of the newest {count} of {total} "
    "campaigns, in the time zone {zone}.",
    "part": "Opens are counted by hours of UTC, which begin at times such as {time} in this zone.",
    "fewest": "None",
    "most": "Most",
}

DEVICES = {
    "title": "Devices and mail programs",
    "client": "Mail program or browser",
    "opens": "Human opens",
    "clicks": "Human clicks",
    "covers": "Covers {opens} emails opened and {clicks} clicked by humans, each at its first open "
    "and first click.",
    "hidden": "Image proxies of Gmail and Yahoo hide the device of {count} opens ({share}), but "
    "not that of clicks.",
    "earlier": "Without {count} opens that an earlier release counted.",
    "other": "Other",
    "hint": "From the user agents that Amazon SES reports. iPads with Safari count as desktops, "
    "because they call themselves a Mac. Apps on phones may show emails like Apple Mail.",
    "not_human": "Without a human open or click",
    "emails": "Emails",
    "private": "Opened by Apple's privacy proxy only",
    "private_help": "Preloaded by Apple Mail Privacy Protection, which hides the device, and "
    "whether the email was read.",
    "bots": "Bots and unknown programs only",
    "bots_help": "Such as security scanners, whose user agents do not show a recipient's device.",
}
DEVICE_NAMES = {
    "phone": "Phone",
    "desktop": "Desktop",
    "tablet": "Tablet",
    "unknown": "Device not known",
    "proxy": "Hidden by a proxy",
}

RECIPIENTS = {
    "title": "Recipients",
    "about": "Opens and clicks are those of humans. “Opened” includes recipients who clicked, and "
    "“Not opened” those whose email bounced.",
    "show": "Show recipients",
    "all": "All",
    "not_opened": "Not opened",
    "opened": "Opened",
    "clicked": "Clicked",
    "bounced": "Bounced",
    "recipient": "Recipient",
    "provider": "Provider",
    "sent": "Sent",
    "last_event": "Last event",
    "state": "State",
    "none": "No recipients in this state.",
    "incomplete": "This list is incomplete: an earlier release counted some of the emails. To list "
    "them as well, run",
    "exporting": "Exporting: {count} of {total}…",
    "cancel": "Cancel",
    "history": "All events of this recipient's emails in this campaign, newest first. Opens and "
    "clicks of an email to several addresses are included, because SES does not report whose they "
    "are.",
    "none_of_recipient": "No events of this recipient.",
}

WALL = {
    "clicked": "Clicked",
    "of_sent": "of sent",
    "of_attempted": "of attempted",
    "of_delivered": "of delivered",
    # Problems
    "problems": "Problems",
    "since": "since {time}",
    "one_more": "and 1 more problem",
    "more": "and {count} more problems",
    "incident": "Incident",
    # Pace
    "pace_human_opens": "human opens",
    "pace_human_clicks": "human clicks",
    "after": "after {age}",
    "after_minutes": "after {minutes} min",
    "so_far": "So far",
    "expected": "Usual by now",
    "usual_range": "Usual range (80%)",
    "after_24": "24 h forecast",
    "all": "All campaigns compared with usual",
    "times": "{ratio} \N{MULTIPLICATION SIGN}",
    "usual_for_age": "Usual at the same age",
    "no_comparison": "No comparison yet:",
    # Rotation
    "rotation": "Campaigns in rotation",
    "previous": "Previous campaign",
    "next": "Next campaign",
    "pause": "Pause",
    "frame": "{number}: {name}",
    "frame_with_incident": "{number}: {name}, running incident",
    "none": "No campaign has started yet",
    "left_out": "A wall screen shows at most {most} campaigns. Not shown: {names}",
    "bad_every": "a campaign is shown for 5 to 300 seconds.",
    "bad_unknown": "a wall screen has no such setting.",
    "full_screen": "Full screen",
    "exit": "Exit",
    "minute": "per minute",
    "hour": "per hour",
    "day": "per day",
}

INCIDENT = {
    "title": "Incidents",
    "incident": "Incident",
    "began": "Began",
    "ended": "Ended",
    "running": "Running",
    "since": "Running since {time}.",
    "span": "{time} to {end}.",
    "title_with_alarms": "Incidents and alarms",
    "none": "No incidents in this campaign.",
    "settings": "Settings of alarms",
    "kinds": "Which messages are sent",
    "kinds_of_all": "Those that are sent for all campaigns: {kinds}",
    "kinds_chosen": "Only these",
    "kinds_usual": "All except “{kinds}”",
    "kinds_none": "none",
    "a_provider": "A mailbox provider",
    "all_kinds": " ".join(ALARM_KINDS),
    "usual_kinds": " ".join(kind for kind in ALARM_KINDS if kind in SENT_BY_DEFAULT),
    "quiet": "Quiet hours, in which alarms wait",
    "quiet_of_all": "As for all campaigns: {hours}",
    "quiet_none": "No quiet hours",
    "quiet_own": "Every day between",
    "quiet_from": "From",
    "quiet_to": "To",
    "quiet_zone": "Time zone",
    "quiet_hours": "{from} to {to}, {zone}",
    "quiet_except": "{from} to {to}, {zone}, except critical alarms",
    "quiet_critical": "Send critical alarms all the same: complaints, hard bounces, template "
    "errors, and providers that defer or reject your mail.",
    "quiet_help": "An alarm that waits is sent when quiet hours end, unless the incident is over.",
    "settings_of_all": "Alarms of all campaigns",
    "about_all": "They apply to each campaign that has no settings of its own, and take effect "
    "within a minute.",
    "of_all_where": "The settings of all campaigns are on the page",
    "test": "This is a test campaign: it is not watched for incidents, and no alarms are sent.",
    "save": "Save",
    "saved": "Saved. It takes effect within a minute.",
    "snooze": "Snooze alarms for an hour",
    "snoozed": "Alarms are snoozed until {time}.",
    "resume": "End the snooze",
    "not_set": "The alarms could not be changed: {reason}",
}

SIGN_IN = {
    "failed": "Sign-in failed.",
    "stale": "This sign-in link has expired or was opened in another tab. Sign in again.",
    "ended": "Your session has expired, so the numbers are no longer updated. Reload the page to "
    "sign in again.",
}

SHARE = {
    "share": "Share",
    "title": "Share this campaign",
    "close": "Close",
    "seen_by": "Everyone with the link sees the numbers of this campaign, live and without signing "
    "in, until the link expires or is revoked.",
    "shown": "Shown",
    "what_is_shown": "Counts and rates, the timeline, variants with their message tags, links, "
    "bounces, devices and mail programs, and mailbox providers.",
    "hidden": "Not shown",
    "what_is_hidden": "Recipients and their addresses, live activity, pace and forecast, replies "
    "of mail servers, incidents and alarms, notes, the name of the link, and other campaigns.",
    "name": "Name (optional)",
    "name_hint": "Client",
    "valid_for": "Valid for",
    "days": "{days} days",
    "create": "Create link",
    "address": "Share link",
    "created": "The link is shown only now. Copy it before you close this dialog.",
    "copy": "Copy link",
    "copied": "The link was copied.",
    "not_copied": "This browser does not allow copying. Select the link and copy it.",
    "active": "Active links",
    "none": "This campaign has no active links.",
    "until": "Valid until {time}",
    "made": "Created {time}",
    "by": "by",
    "revoke": "Revoke",
    "revoke_which": "Revoke the link that is valid until {time}",
    "revoke_which_named": "Revoke the link “{name}” that is valid until {time}",
    "confirm": "Revoke this link? Everyone who uses it is disconnected.",
    "confirm_named": "Revoke the link “{name}”? Everyone who uses it is disconnected.",
    "revoke_link": "Revoke link",
    "keep": "Keep",
    "revoked": "The link was revoked.",
    "failed": "That did not work: {reason}",
    "incomplete": "This share link is incomplete. Open the full link, or ask for a new one.",
    "unreachable": "Cannot connect to Mailpulse. Reconnecting…",
    "refused": "This share link is no longer valid. It may have expired, been revoked, or have too "
    "many viewers: reload the page later, or ask for a new link.",
}

# With sign-in, an unreachable server may also be one that rejects the viewer.
_REFUSED = (
    "Cannot connect to Mailpulse, or access was denied. Reconnecting… Your account may not have "
    "access to any campaign. Contact your Mailpulse administrator."
)


def texts(*, signing_in: bool = False) -> dict[str, str]:
    """Return every text by its key, such as `rate.bounce` or `bounce.Transient/MailboxFull`.

    Args:
        signing_in: whether the page requires sign-in.
    """
    rates = {
        name: f"{_NAMES[part].capitalize()} ÷ {_NAMES[whole]}. {_OF_RATES[name]}"
        for name, (part, whole) in RATES.items()
    }
    groups = {
        "count": COUNTERS | {"pace": _PACE},
        "rate": rates,
        "label": LABELS | {"pace": PACE["title"]},
        "rate_label": RATE_LABELS,
        "event": EVENTS,
        "engager": ENGAGERS,
        "bounce_type": BOUNCE_TYPES,
        "bounce": BOUNCES,
        "reason": REASONS,
        "status": STATUS,
        "problem": PROBLEMS,
        "health": HEALTH,
        "pipeline": PIPELINE,
        "hop": HOPS,
        "hop_help": HOPS_HELP,
        "reconciled": RECONCILED,
        "reconciled_help": RECONCILED_HELP,
        "reconciled_metric": RECONCILED_METRICS,
        "cause": CAUSES,
        "runway": RUNWAY,
        "runway_rate": RUNWAY_RATES,
        "runway_kind": RUNWAY_KINDS,
        "recount": RECOUNTS,
        "page": PAGE | {"unreachable": _REFUSED} if signing_in else PAGE,
        "list": LIST,
        "view": VIEWS,
        "report": REPORT,
        "campaign": CAMPAIGN,
        "verdict": VERDICTS,
        "problems": PROBLEMS_OF_CAMPAIGN,
        "bots": BOTS,
        "pace": PACE,
        "compare": COMPARE,
        "variants": VARIANTS,
        "incident": INCIDENT,
        "incident_title": {kind: words.title for kind, words in WORDS.items()}
        | {DONE: "Campaign is done: its results"},
        "incident_happened": {kind: words.happened for kind, words in WORDS.items()},
        "incident_minutes": {kind: words.window.minutes for kind, words in WORDS.items()},
        "incident_minute": {kind: words.window.minute for kind, words in WORDS.items()},
        "incident_to_do": {kind: words.to_do for kind, words in WORDS.items()},
        "kind_of_bot": KINDS_OF_BOTS,
        "kind_of_bot_help": KINDS_OF_BOTS_HELP,
        "timeline": TIMELINE,
        "notes": NOTES,
        "age": AGE,
        "by_age": BY_AGE,
        "links": LINKS,
        "activity": ACTIVITY,
        "week": WEEK,
        "devices": DEVICES,
        "device": DEVICE_NAMES,
        "providers": PROVIDERS,
        "reply_cause": REPLY_CAUSES,
        "reply_advice": REPLY_ADVICE,
        "reply_actor": {cause: REPLY_ACTORS[actor] for cause, actor in ACTORS.items()},
        "recipients": RECIPIENTS,
        "wall": WALL,
        "share": SHARE,
        "sign_in": SIGN_IN if signing_in else {},
    }
    return {f"{group}.{key}": text for group, one in groups.items() for key, text in one.items()}
