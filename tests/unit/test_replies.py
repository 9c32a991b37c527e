"""Classes and causes of SMTP replies, over replies as mailbox providers document and send them.

Addresses, hosts, IP addresses and ids are invented. docs/deliverability.md names the public sources.
"""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.facts.personal import masked
from chalicelib.facts.providers import PROVIDERS
from chalicelib.facts.replies import MAX_TEXT, reply_class, reply_text
from chalicelib.facts.reply_causes import _RULES, ACTORS, cause
from dashboard.deploy.glossary import REPLY_ACTORS, REPLY_ADVICE, REPLY_CAUSES
from dashboard.paths import PROJECT

PAGE = (PROJECT / "docs" / "deliverability.md").read_text()

# The mailbox provider (None: a company's server), the class, its cause, and replies of this class.
GROUPS = [
    (
        "Gmail",
        "5.1.1",
        "The email account that you tried to reach does not exist",
        "no_mailbox",
        [
            "smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces. For more information, go to\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser o8si14457989wrs.128 - gsmtp",
            "smtp; 550 5.1.1 The email account that you tried to reach does not exist. Learn more at https://support.google.com/mail/answer/6596 41be03b00d2f7-7fbb0a2si1 - gsmtp",
        ],
    ),
    (
        "Gmail",
        "5.2.1",
        "The email account that you tried to reach is inactive",
        "disabled",
        [
            "smtp; 550-5.2.1 The email account that you tried to reach is inactive. For more\n550-5.2.1 information, go to\n550 5.2.1  https://support.google.com/mail/?p=DisabledUser af79cd13be357-7b6si29 - gsmtp"
        ],
    ),
    (
        "Gmail",
        "5.2.2",
        "The recipient's inbox is out of storage space and inactive",
        "full",
        [
            "smtp; 552-5.2.2 The recipient's inbox is out of storage space and inactive. Please\n552-5.2.2 direct the recipient to\n552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm 5b1f17b1804b1-43si8 - gsmtp",
            "smtp; 552-5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm ffacd0b85a97d-3 - gsmtp",
        ],
    ),
    (
        "Gmail",
        "4.2.2",
        "The recipient's inbox is out of storage space",
        "full",
        [
            "smtp; 452-4.2.2 The recipient's inbox is out of storage space. Please direct the\n452-4.2.2 recipient to\n452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp d2e1a72fcca58-7 - gsmtp"
        ],
    ),
    (
        "Gmail",
        "4.2.1",
        "The user you are trying to contact is receiving email at a rate that prevents additional messages from being delivered",
        "receives_too_much",
        [
            "smtp; 450-4.2.1 The user you are trying to contact is receiving email at a rate that\n450-4.2.1 prevents additional messages from being delivered. Please resend your\n450-4.2.1 message at a later time. g6si1234567 - gsmtp"
        ],
    ),
    (
        "Gmail",
        "4.7.28",
        "Gmail has detected an unusual rate of unsolicited mail originating from your IP address",
        "spam",
        [
            "smtp; 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421-4.7.28 from your IP address [203.0.113.7      18]. To protect our users from\n421-4.7.28 spam, mail sent from your IP address has been temporarily rate limited. ada-1 - gsmtp",
            "smtp; 421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421-4.7.28 from your IP address [198.51.100.200      19]. To protect our users from",
        ],
    ),
    (
        "Gmail",
        "5.7.26",
        "Your email has been blocked because the sender is unauthenticated",
        "unauthenticated",
        [
            "smtp; 550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\n550-5.7.26 Authentication results: DKIM = did not pass SPF [example.com] with ip: [203.0.113.7] = did not pass"
        ],
    ),
    (
        "Gmail",
        "5.7.26",
        "Unauthenticated email from * is not accepted due to domain's DMARC policy",
        "dmarc",
        [
            "smtp; 550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's\n550-5.7.26 DMARC policy. Please contact the administrator of example.com domain if"
        ],
    ),
    (
        "Gmail",
        "4.7.27",
        "Your email has been rate limited because SPF authentication didn't pass for this message",
        "unauthenticated",
        [
            "smtp; 421-4.7.27 Your email has been rate limited because SPF authentication didn't\n421-4.7.27 pass for this message. Gmail requires all bulk email senders to authenticate"
        ],
    ),
    (
        "Gmail",
        "5.7.1",
        "Gmail has detected that this message is likely unsolicited mail",
        "spam",
        [
            "smtp; 550-5.7.1 [203.0.113.7      15] Gmail has detected that this message is likely\n550-5.7.1 unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.",
            "smtp; 550-5.7.1 [198.51.100.9] Gmail has detected that this message is likely unsolicited mail. To reduce the amount of spam",
        ],
    ),
    (
        "Gmail",
        "5.7.1",
        "Our system has detected that this message is likely suspicious due to the very low reputation of the sending IP address",
        "address_blocked",
        [
            "smtp; 550-5.7.1 [2001:db8::15] Our system has detected that this message is likely suspicious due to the very low reputation of the sending IP address. To best protect"
        ],
    ),
    (
        "Gmail",
        "5.7.1",
        "This message violates * email policy. - gcdp",
        "restricted",
        [
            "smtp; 550 5.7.1 This message violates acme.com email policy. - gcdp 00721157ae682-6si9 - gsmtp"
        ],
    ),
    (
        "Gmail",
        "4.3.0",
        "Temporary System Problem. Try again later",
        "busy",
        ["smtp; 421 4.3.0 Temporary System Problem.  Try again later (10). x18si123 - gsmtp"],
    ),
    (
        "Gmail",
        "5.7.0",
        "This message was blocked because its content presents a potential security issue",
        "attachment",
        [
            "smtp; 552-5.7.0 This message was blocked because its content presents a potential\n552-5.7.0 security issue. Please visit\n552-5.7.0 https://support.google.com/mail/?p=BlockedMessage to review our message content and attachment content guidelines."
        ],
    ),
    (
        "Microsoft",
        "5.7.1",
        "[S3150] Unfortunately, messages from * weren't sent. Please contact your Internet service provider since part of their",
        "address_blocked",
        [
            "smtp; 550 5.7.1 Unfortunately, messages from [203.0.113.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [DB3EUR04FT007.eop-eur04.prod.protection.outlook.com 2026-11-29T10:00:00.123Z 08DC0123]",
            "smtp; 550 5.7.1 Unfortunately, messages from [198.51.100.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
        ],
    ),
    (
        "Microsoft",
        "5.7.1",
        "[S3140] Unfortunately, messages from * weren't sent. Please contact your Internet service provider since part of their",
        "address_blocked",
        [
            "smtp; 550 5.7.1 Unfortunately, messages from [203.0.113.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140)."
        ],
    ),
    (
        "Microsoft",
        "4.7.650",
        "[S775] The mail server * has been temporarily rate limited due to IP reputation",
        "rate",
        [
            "smtp; 451 4.7.650 The mail server [203.0.113.7] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://aka.ms/postmaster (S775) [Name=Protocol Filter Agent][AGT=PFA]"
        ],
    ),
    (
        "Microsoft",
        "421",
        "[RP-001] Unfortunately, some messages from * weren't sent",
        "rate",
        [
            "smtp; 421 RP-001 (SNT004-MC1F43) Unfortunately, some messages from 203.0.113.7 weren't sent. Please try again. We have limits for how many messages can be sent per hour and per day."
        ],
    ),
    (
        "Microsoft",
        "550",
        "[SC-001] Unfortunately, messages from * weren't sent. Please contact your Internet service provider since part of their",
        "address_blocked",
        [
            "smtp; 550 SC-001 (BAY004-MC4F49) Unfortunately, messages from 203.0.113.7 weren't sent. Please contact your Internet service provider since part of their network is on our block list."
        ],
    ),
    (
        "Microsoft",
        "5.7.515",
        "Access denied, sending domain * doesn't meet the required authentication level",
        "unauthenticated",
        [
            "smtp; 550 5.7.515 Access denied, sending domain EXAMPLE.COM doesn't meet the required authentication level. The sender's domain in the 5322.From address doesn't meet the authentication requirements"
        ],
    ),
    (
        "Microsoft",
        "5.7.509",
        "Access denied, sending domain * does not pass DMARC verification and has a DMARC policy of reject",
        "dmarc",
        [
            "smtp; 550 5.7.509 Access denied, sending domain example.com does not pass DMARC verification and has a DMARC policy of reject. [AM0EUR02FT003.eop-EUR02.prod.protection.outlook.com]"
        ],
    ),
    (
        "Microsoft",
        "5.5.0",
        "Requested action not taken: mailbox unavailable",
        "no_mailbox",
        [
            "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [CO1NAM11FT029.eop-nam11.prod.protection.outlook.com 2026-11-29T10:11:12.345Z 08DC1]",
            "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [VI1EUR06FT011.eop-eur06.prod.protection.outlook.com]",
        ],
    ),
    (
        None,
        "5.7.606",
        "Access denied, banned sending IP *. To request removal from this list please visit * and follow the directions",
        "address_blocked",
        [
            "smtp; 550 5.7.606 Access denied, banned sending IP [203.0.113.7]. To request removal from this list please visit https://sender.office.com/ and follow the directions. For more information please go to http://go.microsoft.com/fwlink/?LinkID=526655 AS(1430)"
        ],
    ),
    (
        None,
        "5.4.1",
        "Recipient address rejected: Access denied",
        "no_mailbox",
        [
            "smtp; 550 5.4.1 Recipient address rejected: Access denied. [AM0EUR02FT003.eop-EUR02.prod.protection.outlook.com 2026-11-29T10:00:00.123Z 08DC]",
            "smtp; 550 5.4.1 [ada@acme.example]: Recipient address rejected: Access denied [CY1GCC01FT007.eop-gcc01.prod.protection.outlook.com]",
        ],
    ),
    (
        None,
        "5.1.10",
        "RecipientNotFound; Recipient * not found by SMTP address lookup",
        "no_mailbox",
        [
            "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@acme.example not found by SMTP address lookup"
        ],
    ),
    (
        None,
        "5.7.133",
        "SenderNotAuthenticatedForGroup; authentication required",
        "restricted",
        [
            "smtp; 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group"
        ],
    ),
    (
        None,
        "5.2.2",
        "mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
        "full",
        [
            "smtp; 554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message"
        ],
    ),
    (
        None,
        "4.7.500",
        "Server busy. Please try again later",
        "busy",
        [
            "smtp; 451 4.7.500 Server busy. Please try again later from [203.0.113.7]. (S77719) [VE1EUR03FT012.eop-EUR03.prod.protection.outlook.com]"
        ],
    ),
    (
        None,
        "5.7.64",
        "TenantAttribution; Relay Access Denied",
        "relay_denied",
        [
            "smtp; 550 5.7.64 TenantAttribution; Relay Access Denied [DB5EUR01FT021.eop-EUR01.prod.protection.outlook.com]"
        ],
    ),
    (
        "Yahoo",
        "4.7.0",
        "[TSS04] Messages from * temporarily deferred due to unexpected volume or user complaints",
        "complaints",
        [
            "smtp; 421 4.7.0 [TSS04] Messages from 203.0.113.7 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes",
            "smtp; 421 4.7.0 [TSS04] Messages from 198.51.100.9 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://senders.yahooinc.com/error-codes",
        ],
    ),
    (
        "Yahoo",
        "4.7.1",
        "[TS03] All messages from * will be permanently deferred",
        "complaints",
        [
            "smtp; 421 4.7.1 [TS03] All messages from 203.0.113.7 will be permanently deferred; Retrying will NOT succeed. See https://postmaster.yahooinc.com/error-codes"
        ],
    ),
    (
        "Yahoo",
        "5.7.9",
        "Message not accepted for policy reasons",
        "policy",
        [
            "smtp; 554 554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes"
        ],
    ),
    (
        "Yahoo",
        "552",
        "Requested mail action aborted, mailbox not found",
        "no_mailbox",
        ["smtp; 552 1 Requested mail action aborted, mailbox not found"],
    ),
    (
        "Yahoo",
        "554",
        "Sorry, your message to * cannot be delivered. This mailbox is disabled",
        "disabled",
        [
            "smtp; 554 30 Sorry, your message to ada@aol.com cannot be delivered. This mailbox is disabled (554.30)."
        ],
    ),
    (
        "Yahoo",
        "5.7.9",
        "This mail has been blocked because the sender is unauthenticated",
        "unauthenticated",
        [
            "smtp; 550 5.7.9 This mail has been blocked because the sender is unauthenticated. Yahoo requires all senders to authenticate with either SPF or DKIM."
        ],
    ),
    (
        "Apple iCloud",
        "5.1.1",
        "user does not exist",
        "no_mailbox",
        [
            "smtp; 550 5.1.1 <ada@icloud.com>: user does not exist",
            "550 5.1.1 <grace.hopper@me.com>: user does not exist",
        ],
    ),
    (
        "Apple iCloud",
        "5.7.1",
        "[CS01] Message rejected due to local policy",
        "spam",
        [
            "smtp; 550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137"
        ],
    ),
    (
        "Apple iCloud",
        "5.7.1",
        "[HM08] Message rejected due to local policy",
        "spam",
        [
            "smtp; 554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137"
        ],
    ),
    (
        "Apple iCloud",
        "4.7.1",
        "Messages to * deferred due to excessive volume",
        "rate",
        [
            "smtp; 421 4.7.1 Messages to ada@icloud.com deferred due to excessive volume. Try again later - https://support.apple.com/en-us/HT204137"
        ],
    ),
    (
        "Apple iCloud",
        "5.2.2",
        "user is over quota",
        "full",
        ["smtp; 552 5.2.2 <ada@icloud.com>: user is over quota"],
    ),
    (
        "GMX and WEB.DE",
        "554",
        "Nemesis ESMTP Service not available No SMTP service IP address is block listed",
        "address_blocked",
        [
            "smtp; 554-gmx.net (mxgmx104) Nemesis ESMTP Service not available\n554-No SMTP service\n554-IP address is block listed.\n554 For explanation visit https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=198.51.100.42&r=1MNcgj-1ue23t3pyV-00S2YR",
            "smtp; 554-web.de (mxweb011) Nemesis ESMTP Service not available\n554-No SMTP service\n554-IP address is block listed.\n554 For explanation visit https://postmaster.web.de/en/case?c=r0201&i=ip&v=203.0.113.7&r=1N2Ncg-1tyz",
        ],
    ),
    (
        "GMX and WEB.DE",
        "550",
        "Requested action not taken: mailbox unavailable",
        "no_mailbox",
        [
            "smtp; 550-Requested action not taken: mailbox unavailable\n550 For explanation visit https://postmaster.gmx.net/en/error-messages?ip=203.0.113.7&c=mbun",
            "smtp; 550 Requested action not taken: mailbox unavailable",
        ],
    ),
    (
        "GMX and WEB.DE",
        "554",
        "Nemesis ESMTP Service not available No SMTP service Bad DNS PTR resource record",
        "reverse_dns",
        [
            "smtp; 554-gmx.net (mxgmx016) Nemesis ESMTP Service not available\n554-No SMTP service\n554-Bad DNS PTR resource record.\n554 For explanation visit https://postmaster.gmx.net/en/error-messages?ip=203.0.113.7&c=rdns"
        ],
    ),
    (
        "T-Online",
        "554",
        "A problem occurred. (Ask your postmaster for help or to contact * to clarify.) (BL)",
        "address_blocked",
        [
            "smtp; 554 IP=203.0.113.7 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)"
        ],
    ),
    (
        "T-Online",
        "5.1.1",
        "unknown recipient",
        "no_mailbox",
        ["smtp; 550 5.1.1 unknown recipient", "smtp;550 5.1.1 unknown recipient"],
    ),
    (
        "Freenet",
        "5.7.1",
        "Blacklisted Url in message. (SURBL",
        "link_blocked",
        ["smtp; 550 5.7.1 Blacklisted Url in message. (SURBL: http://shop.example/a?u=1)"],
    ),
    (
        "Orange",
        "5.2.0",
        "[OFR_506] Mail rejete. Mail rejected",
        "spam",
        [
            "smtp; 550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]",
            "smtp; 550 5.2.0 me-mwinf5c42 Mail rejete. Mail rejected. OFR_506 [506]",
        ],
    ),
    (
        "Orange",
        "421",
        "[OFR_999] ME Service refuse. Veuillez essayer plus tard",
        "rate",
        [
            "smtp; 421 mwinf5c42 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]",
            "421 mwinf5c17 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]",
        ],
    ),
    (
        "Orange",
        "5.1.1",
        "[OFR_416] Adresse d au moins un destinataire invalide. Invalid recipient",
        "no_mailbox",
        [
            "smtp; 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]"
        ],
    ),
    (
        "La Poste",
        "5.5.0",
        "[LPN007_510] Service refuse. Veuillez essayer plus tard. service refused, please try later",
        "spam",
        [
            "smtp; 550 5.5.0 Service refuse. Veuillez essayer plus tard. service refused, please try later. LPN007_510"
        ],
    ),
    ("Free", "550", "spam detected", "spam", ["smtp; 550 spam detected"]),
    (
        "SFR",
        "5.7.1",
        "Message content rejected",
        "spam",
        ["smtp; 550 5.7.1 Message content rejected"],
    ),
    (
        "Libero",
        "5.1.1",
        "recipient rejected",
        "no_mailbox",
        [
            "smtp; 550 5.1.1 <ada@libero.it> recipient rejected",
            "smtp; 550 5.1.1 <grace@virgilio.it> recipient rejected",
        ],
    ),
    (
        "Mail.ru",
        "550",
        "Message was not accepted -- invalid mailbox. Local mailbox * is unavailable: user not found",
        "no_mailbox",
        [
            "smtp; 550 Message was not accepted -- invalid mailbox.  Local mailbox ada@mail.ru is unavailable: user not found",
            "smtp; 550 Message was not accepted -- invalid mailbox.  Local mailbox grace@bk.ru is unavailable: user not found",
        ],
    ),
    (
        "Mail.ru",
        "550",
        "spam message rejected. Please visit * or report details to * Error code",
        "spam",
        [
            "smtp; 550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abcdefGHIJ123 or  report details to abuse@corp.mail.ru. Error code: 1A2B3C4D5E6F. ID: 0000000A"
        ],
    ),
    (
        "Yandex",
        "5.7.1",
        "No such user!",
        "no_mailbox",
        ["smtp; 550 5.7.1 No such user!", "smtp; 550 5.7.1 No such user! 1764410000-AbCdEf"],
    ),
    (
        "Yandex",
        "5.7.1",
        "Message rejected under suspicion of SPAM",
        "spam",
        [
            "smtp; 554 5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1764410000-AbCdEf12"
        ],
    ),
    (
        "QQ",
        "550",
        "Mail content denied",
        "spam",
        [
            "smtp; 550 Mail content denied. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726"
        ],
    ),
    (
        "QQ",
        "550",
        "The recipient may contain a non-existent account, please check the recipient address",
        "no_mailbox",
        [
            "smtp; 550 The recipient may contain a non-existent account, please check the recipient address."
        ],
    ),
    (
        "QQ",
        "550",
        "Mailbox unavailable or access denied * IP",
        "no_mailbox",
        [
            "smtp; 550 Mailbox unavailable or access denied [MFAxMjM0NTY3ODkw IP: 203.0.113.7]. https://open.work.weixin.qq.com/help2/pages"
        ],
    ),
    (
        "NetEase",
        "554",
        "MI:SPB * mx",
        "spam",
        [
            "smtp; 554 MI:SPB 163 mx, smtp13,EcCowAB3Lrz2,1437,1764410000 http://mail.163.com/help/help_spam_16.htm?ip=203.0.113.7&hostid=smtp13&time=1764410000",
            "smtp; 554 MI:SPB 126 mx, smtp2,DMmowAC3xYz1,8837,1764420000 http://mail.163.com/help/help_spam_16.htm?ip=198.51.100.9",
        ],
    ),
    (
        "NetEase",
        "550",
        "User not found",
        "no_mailbox",
        ["smtp; 550 User not found: ada@163.com", "smtp; 550 User not found: grace@126.com"],
    ),
    (
        "Seznam",
        "5.1.1",
        "Sorry, no mailbox here by that name",
        "no_mailbox",
        ["smtp; 550 5.1.1 Sorry, no mailbox here by that name. (#5.1.1)"],
    ),
    (
        "UOL",
        "5.1.1",
        "Recipient address rejected: User unknown in virtual mailbox table",
        "no_mailbox",
        [
            "smtp; 550 5.1.1 <ada@uol.com.br>: Recipient address rejected: User unknown in virtual mailbox table"
        ],
    ),
    (
        "Charter",
        "5.7.1",
        "[AUP#1310] ESMTP server not available. Blocked for policy reasons",
        "policy",
        [
            "smtp; 554 5.7.1 ESMTP server not available. Blocked for policy reasons. AUP#1310 203.0.113.7"
        ],
    ),
    (
        "BT",
        "554",
        "Message rejected on * GMT, policy * - Your message looks like SPAM or has been reported as SPAM",
        "spam",
        [
            "smtp; 554 Message rejected on 2026/11/29 10:11:12 GMT, policy (3.2.1.1) - Your message looks like SPAM or has been reported as SPAM please read www.bt.com/bulksender"
        ],
    ),
    (
        None,
        "5.7.1",
        "Service unavailable; Client host * blocked using Spamhaus",
        "address_blocked",
        [
            "smtp; 554 5.7.1 Service unavailable; Client host [203.0.113.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/203.0.113.7",
            "smtp; 554 5.7.1 Service unavailable; Client host [a8-50.smtp-out.amazonses.com] blocked using zen.spamhaus.org",
        ],
    ),
    (
        None,
        "5.1.1",
        "Recipient address rejected: User unknown in local recipient table",
        "no_mailbox",
        [
            "smtp; 550 5.1.1 <ada@acme.example>: Recipient address rejected: User unknown in local recipient table",
            "smtp; 550 5.1.1 <*>: Recipient address rejected: User unknown in local recipient table",
        ],
    ),
    (
        None,
        "550",
        "User unknown",
        "no_mailbox",
        ["smtp; 550 ada... User unknown", "smtp; 550 <grace@b.example>... User unknown"],
    ),
    (
        None,
        "5.1.1",
        "User unknown",
        "no_mailbox",
        ["smtp; 550 5.1.1 <grace@b.example>... User unknown"],
    ),
    (
        None,
        "4.2.0",
        "Recipient address rejected: Greylisted",
        "greylisted",
        [
            "smtp; 450 4.2.0 <ada@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.example.html"
        ],
    ),
    (
        None,
        "4.7.1",
        "Greylisting in action, please come back",
        "greylisted",
        [
            "smtp; 451 4.7.1 Greylisting in action, please come back in 00:04:59",
            "smtp; 451 4.7.1 Greylisting in action, please come back in 00:01:07",
        ],
    ),
    (None, "5.4.4", "Invalid domain", "no_domain", ["smtp; 550 5.4.4 Invalid domain"]),
    (
        None,
        "4.4.7",
        "Message expired: unable to deliver in * minutes",
        "expired",
        [
            "smtp; 554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.1 Unable to connect to remote host>",
            "smtp; 554 4.4.7 Message expired: unable to deliver in 720 minutes.<421 4.4.1 Unable to connect to remote host>",
        ],
    ),
    (
        None,
        "4.4.1",
        "Unable to connect to remote host",
        "unreachable",
        ["smtp; 421 4.4.1 Unable to connect to remote host"],
    ),
    (
        None,
        "4.4.2",
        "Connection timed out while waiting",
        "unreachable",
        ["smtp; 421 4.4.2 Connection timed out while waiting for 203.0.113.7"],
    ),
    (
        None,
        "5.3.4",
        "Message size exceeds fixed maximum message size",
        "too_large",
        ["smtp; 552 5.3.4 Message size exceeds fixed maximum message size (10485760)"],
    ),
    (
        None,
        "5.3.4",
        "Message size exceeds fixed limit",
        "too_large",
        ["smtp; 552 5.3.4 Message size exceeds fixed limit"],
    ),
    (
        None,
        "5.7.1",
        "Relay access denied",
        "relay_denied",
        [
            "smtp; 550 5.7.1 <ada@b.example>: Relay access denied",
            "smtp; 554 5.7.1 <ada@b.example>: Relay access denied",
        ],
    ),
    (
        None,
        "5.1.8",
        "Sender address rejected: Domain not found",
        "sender_address",
        ["smtp; 553 5.1.8 <bounce@mail.example.com>: Sender address rejected: Domain not found"],
    ),
    (
        None,
        "4.2.2",
        "mailbox full",
        "full",
        [
            "smtp; 452 4.2.2 <ada@b.example>: mailbox full (in reply to RCPT TO command)",
            "smtp; 452 4.2.2 mailbox full",
        ],
    ),
    (
        None,
        "",
        "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address",
        "suppressed",
        [
            "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address. For more information about how to remove an address from the suppression list, see the Amazon SES Developer Guide"
        ],
    ),
    (
        None,
        "",
        "Amazon SES did not send the message to this address because it is on the suppression list for your account",
        "suppressed",
        [
            "Amazon SES did not send the message to this address because it is on the suppression list for your account. For more information about removing addresses from the suppression list, see the Amazon SES Developer Guide"
        ],
    ),
    (
        None,
        "550",
        "Administrative prohibition - envelope blocked",
        "policy",
        [
            "smtp; 550 Administrative prohibition - envelope blocked - https://community.mimecast.com/docs/DOC-1369#550 [AbCdEfGhIj-KlMnOp.uk123]"
        ],
    ),
    (
        None,
        "5.7.1",
        "Your email was rejected because it contains a domain listed in Spamhaus",
        "link_blocked",
        [
            "smtp; 550 5.7.1 Your email was rejected because it contains a domain listed in dbl.spamhaus.org"
        ],
    ),
    (
        None,
        "4.7.0",
        "Error: too many connections",
        "rate",
        ["smtp; 421 4.7.0 203.0.113.7 Error: too many connections from 203.0.113.7"],
    ),
]
REPLIES = [reply for *_, replies in GROUPS for reply in replies]


@pytest.mark.parametrize(("provider", "status", "text", "expected", "replies"), GROUPS)
def test_replies_of_one_cause_at_one_provider_are_one_class(
    provider, status, text, expected, replies
):
    assert {reply_class(None, reply) for reply in replies} == {(status, text)}
    assert cause(reply_class(None, replies[0]), provider) == expected


def test_stored_replies_are_of_the_same_class_as_those_of_events():
    # Facts hold masked replies.
    assert [reply_class(None, masked(one)) for one in REPLIES] == [
        reply_class(None, one) for one in REPLIES
    ]


@pytest.mark.parametrize(
    ("reported", "diagnostic", "status"),
    [
        ("5.0.0", "smtp; 554 5.7.1 blocked", "5.7.1"),
        ("5.7.1", "smtp; 554 blocked", "5.7.1"),
        ("5.0.0", "smtp; 554 blocked", "554"),
        ("5.0.0", "smtp; blocked", "5.0.0"),
        ("5.1.1", None, "5.1.1"),
        ("4.4.7 (expired)", "", "4.4.7"),
        (None, "smtp; 550 #5.1.0 Address rejected.", "5.1.0"),
        (None, "smtp; 550-5.1.1 unknown", "5.1.1"),
        (None, "smtp; 550 unknown (#5.1.1)", "5.1.1"),
        (None, "smtp; 550 see RFC 5321 section 4.2.5.1", "550"),
        ("failed", "it went wrong", ""),
        (None, None, ""),
    ],
)
def test_the_status_is_the_most_specific_code(reported, diagnostic, status):
    assert reply_class(reported, diagnostic).status == status


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("smtp; 550 5.1.1", ""),
        ("smtp; 550 5.1.1 <ada@example.com>", ""),
        ("", ""),
        ("550 Mailbox 'ada' is unknown", "Mailbox * is unknown"),
        ("550 User ada.lovelace unknown", "User * unknown"),
        ("550 User ada is unknown", "User * is unknown"),
        ("550 User account is unknown", "User account is unknown"),
        ("550 Unknown user: ada", "Unknown user"),
        ("451 4.3.0 Queue file 4FFEF13F8B3 failed", "Queue file * failed"),
        (
            "450 4.7.1 Retry after Sun, 29 Nov 2026 10:11:12 +0000 (UTC) or later",
            "Retry after * or later",
        ),
        ("450 IPv6 host [2001:db8::1] refused", "IPv6 host * refused"),
        (
            "550 blocked using zen.spamhaus.org, see https://www.spamhaus.org/sbl/",
            "blocked using Spamhaus",
        ),
        ("550 refused by notspamhaus.org", "refused"),
        ("550 日本語 メールボックスがありません", "日本語 メールボックスがありません"),
    ],
)
def test_a_text_has_no_part_that_differs_per_email(reply, text):
    assert reply_text(reply) == text


texts = st.text(
    st.one_of(st.characters(), st.sampled_from("aZ09 .:;-_*@[]()<>#%=/\"'\n")), max_size=400
)
words = st.lists(st.one_of(st.sampled_from(" ".join(REPLIES).split()), texts), max_size=40)
replies = st.one_of(texts, words.map(" ".join), st.sampled_from(REPLIES))


@given(replies)
@example("A B " * 300)
@example("550-5.1.1 " * 50)
def test_a_text_is_bounded_and_unchanged_by_another_pass(reply):
    text = reply_text(reply)

    assert len(text) <= MAX_TEXT
    assert reply_text(text) == text


@given(replies, st.one_of(st.none(), texts))
def test_any_reply_has_a_class_and_a_known_cause_or_none(reply, status):
    for provider in (None, "Gmail", "NetEase"):
        assert cause(reply_class(status, reply), provider) in {None, *ACTORS}


local_parts = st.from_regex(r"[a-z][a-z0-9._+-]{2,20}", fullmatch=True)


@given(
    replies,
    local_parts,
    st.sampled_from(["{}", "<{}>", "[{}]", "'{}':", "({})", "rcpt={}"]),
    replies,
)
def test_no_address_is_left_in_a_text(before, local_part, form, after):
    address = f"{local_part}@xq7.example"

    text = reply_text(f"{before} {form.format(address)} {after}")

    assert "@" not in text
    assert "xq7.example" not in text


@given(st.sampled_from(REPLIES), st.ip_addresses())
def test_no_ip_address_is_left_in_a_text(reply, address):
    assert str(address) not in reply_text(f"550 client [{address}] {address}: {reply}")


def test_every_cause_has_its_texts_and_a_reply_that_shows_it():
    assert ACTORS.keys() == REPLY_CAUSES.keys() == REPLY_ADVICE.keys()
    assert set(ACTORS.values()) == REPLY_ACTORS.keys()
    assert {one.cause for one in _RULES} == ACTORS.keys()
    assert {expected for *_, expected, _ in GROUPS} >= ACTORS.keys() - {"tls", "loop"}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 No such user here", "no_mailbox"),
        ("554 delivery error: dd This user doesn't have a yahoo.com account", "no_mailbox"),
        ("550 Unroutable address", "no_mailbox"),
        ("550 #5.1.0 Address rejected.", "no_mailbox"),
        ("552 Mailbox limit exceeded for this email address", "full"),
        ("452 4.3.1 Insufficient system storage", "busy"),
        ("550 This account has been disabled or discontinued [#102].", "disabled"),
        ("450 4.7.1 Client host rejected: cannot find your reverse hostname", "reverse_dns"),
        ("550 5.7.1 SPF check failed for example.com", "unauthenticated"),
        ("550 5.0.350 Error -> 550 Rejecting for Sender Policy Framework", "unauthenticated"),
        ("554 5.7.1 This message was blocked because it contains a virus", "attachment"),
        ("554 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.7", "address_blocked"),
        ("550 mail not accepted from blacklisted IP address", "address_blocked"),
        ("421 Too many concurrent SMTP connections; please try again later.", "rate"),
        ("451 Temporary local problem - please try later", "busy"),
        ("550 5.4.316 Message expired, connection refused", "expired"),
        ("550 5.4.310 DNS domain b.example does not exist", "no_domain"),
        ("554 5.4.14 Hop count exceeded - possible mail loop ATTR34", "loop"),
        ("530 5.7.1 Must issue a STARTTLS command first", "tls"),
        ("550 relay not permitted", "relay_denied"),
        ("571 Message Refused", "policy"),
        ("550 Cannot process address", None),
    ],
)
def test_words_show_the_cause_where_the_status_does_not(reply, expected):
    assert cause(reply_class(None, reply)) == expected


# The registry and Gmail: https://www.iana.org/assignments/smtp-enhanced-status-codes/
@pytest.mark.parametrize(
    ("reply", "of_gmail", "of_others"),
    [
        ("550 5.7.23 SPF validation failed", "reverse_dns", "unauthenticated"),
        ("421 4.7.23 No PTR record", "reverse_dns", "reverse_dns"),
        ("421 4.7.27 SPF did not pass", "unauthenticated", "unauthenticated"),
        ("550 5.7.27 Sender address has null MX", "unauthenticated", "sender_address"),
        ("421 4.7.30 DKIM did not pass", "unauthenticated", "unauthenticated"),
        ("421 4.7.29 Not sent over a TLS connection", "tls", "tls"),
        ("550 5.7.29 ARC validation failure", "tls", "policy"),
        ("556 5.1.10 Recipient address has null MX", "no_domain", "no_domain"),
    ],
)
def test_a_status_with_two_meanings_has_that_of_its_provider(reply, of_gmail, of_others):
    assert cause(reply_class(None, reply), "Gmail") == of_gmail
    assert cause(reply_class(None, reply)) == of_others


def test_a_rule_for_one_provider_does_not_apply_to_others():
    reply = reply_class(None, "554 IP=203.0.113.7 - A problem occurred. (Ask your postmaster)")

    assert cause(reply, "T-Online") == "address_blocked"
    assert cause(reply, "Gmail") is None
    assert cause(reply) is None


def test_rules_name_providers_of_the_table():
    assert {name for one in _RULES for name in one.providers} <= set(PROVIDERS)


# The statuses that the standard and the providers document, for servers that reply without a text.
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *(("5.1.1", "no_mailbox"), ("5.1.10", "no_mailbox"), ("5.2.1", "disabled")),
        *(("5.2.2", "full"), ("4.2.2", "full"), ("4.7.0", "policy"), ("4.7.28", "spam")),
        *(("5.7.1", "policy"), ("5.7.26", "unauthenticated"), ("5.7.28", "spam")),
        *(("5.4.4", "no_domain"), ("4.4.7", "expired"), ("5.7.515", "unauthenticated")),
        *(("5.7.606", "address_blocked"), ("5.7.649", "address_blocked"), ("5.7.509", "dmarc")),
        *(("5.7.9", "policy"), ("4.7.650", "rate"), ("5.7.10", "tls"), ("5.7.25", "reverse_dns")),
        *(("5.7.23", "unauthenticated"), ("5.7.27", "sender_address"), ("5.1.2", "no_domain")),
        *(("5.4.6", "loop"), ("4.4.1", "unreachable"), ("4.3.2", "busy"), ("421", "busy")),
        *(("5.0.0", None), ("550", None), ("", None)),
    ],
)
def test_a_status_without_text_shows_its_cause(status, expected):
    assert cause(reply_class(None, f"smtp; {status}")) == expected


def test_the_documented_examples_are_of_the_documented_classes():
    rows = re.findall(r"^\| `(\d.+)` \| `(.+?)` (.+) \|$", PAGE, re.MULTILINE)

    assert len(rows) == 4
    assert [reply_class(None, reply) for reply, *_ in rows] == [
        (status, text) for _, status, text in rows
    ]


def test_each_cause_and_who_can_act_is_documented():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE, re.MULTILINE)

    assert {name: actor.lower() for name, actor in rows} == ACTORS
