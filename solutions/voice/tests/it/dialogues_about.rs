//! What a reminder is about, and the day it comes on where no time was said.

use crate::talk::answered;

#[tokio::test]
async fn a_meal_is_what_a_reminder_is_about_and_says_which_half_of_the_day() {
    answered(&[
        ("12시에 점심 먹으라고 알려 줘", "내일 오후 12시에 알려 드릴게요: 점심 먹기."),
        ("1시에 점심 먹으라고 알려 줘", "오늘 오후 1시에 알려 드릴게요: 점심 먹기."),
        ("8시에 아침 먹으라고 알려 줘", "내일 오전 8시에 알려 드릴게요: 아침 먹기."),
        ("8시에 저녁 약 먹으라고 알려 줘", "오늘 오후 8시에 알려 드릴게요: 저녁 약 먹기."),
        ("12시에 점심 약속 있다고 알려 줘", "내일 오후 12시에 알려 드릴게요: 점심 약속 있다."),
        ("저녁 먹으라고 6시에 알려 줘", "오늘 오후 6시에 알려 드릴게요: 저녁 먹기."),
        ("내일 저녁 먹으라고 알려 줘", "내일 오후 6시에 알려 드릴게요: 저녁 먹기."),
        ("매일 12시에 점심 먹으라고 알려 줘", "매일 오후 12시에 알려 드릴게요: 점심 먹기."),
        ("내일 아침 약 먹으라고 알려 줘", "내일 오전 7시에 알려 드릴게요: 약 먹기."),
        ("저녁에 밥 먹으라고 알려 줘", "오늘 오후 6시에 알려 드릴게요: 밥 먹기."),
    ])
    .await;
}

#[tokio::test]
async fn what_is_so_many_days_away_comes_in_the_morning_and_another_year_is_named() {
    answered(&[
        ("3일 뒤에 치과 가라고 알려 줘", "5월 4일 월요일 오전 9시에 알려 드릴게요: 치과 가기."),
        ("3일 뒤 치과 가라고 알려 줘", "5월 4일 월요일 오전 9시에 알려 드릴게요: 치과 가기."),
        ("3일 뒤 오후 2시에 치과 가라고 알려 줘", "5월 4일 월요일 오후 2시에 알려 드릴게요: 치과 가기."),
        ("일주일 뒤에 치과 가라고 알려 줘", "5월 8일 금요일 오전 9시에 알려 드릴게요: 치과 가기."),
        ("다음 주에 치과 예약하라고 알려 줘", "5월 4일 월요일 오전 9시에 알려 드릴게요: 치과 예약하기."),
        ("remind me in three days to call mum", "I will remind you Monday, May 4 at 9:00 AM: call mum."),
        ("remind me to call mum in two weeks", "I will remind you Friday, May 15 at 9:00 AM: call mum."),
        ("in three days remind me to call mum", "I will remind you Monday, May 4 at 9:00 AM: call mum."),
        (
            "remind me in three days at 2 pm to call mum",
            "I will remind you Monday, May 4 at 2:00 PM: call mum.",
        ),
        ("remind me next week to call mum", "I will remind you Monday, May 4 at 9:00 AM: call mum."),
        ("wake me up in three days", "For what time?"),
        ("3일 뒤에 깨워 줘", "몇 시에 울릴까요?"),
        (
            "4월 20일에 벚꽃 보러 가라고 알려 줘",
            "2027년 4월 20일 화요일 오전 9시에 알려 드릴게요: 벚꽃 보러 가기.",
        ),
        (
            "remind me on april 2 to file taxes",
            "I will remind you Friday, April 2, 2027 at 9:00 AM: file taxes.",
        ),
        ("내년 1월 1일 7시에 알람 맞춰 줘", "2027년 1월 1일 금요일 오전 7시에 알람을 맞췄어요."),
    ])
    .await;
}

#[tokio::test]
async fn whoever_asks_is_reminded_of_others() {
    answered(&[
        (
            "remind the kids to brush their teeth at 8 pm",
            "I will remind you today at 8:00 PM: remind the kids to brush their teeth.",
        ),
        (
            "remind the kids at 8 pm to brush their teeth",
            "I will remind you today at 8:00 PM: remind the kids to brush their teeth.",
        ),
        (
            "remind the kids every day at 8 pm to brush their teeth",
            "I will remind you every day at 8:00 PM: remind the kids to brush their teeth.",
        ),
        (
            "remind mum tomorrow to call the bank",
            "I will remind you tomorrow at 9:00 AM: remind mum to call the bank.",
        ),
        (
            "remind everyone at 6 that dinner is ready",
            "I will remind you today at 6:00 PM: remind everyone that dinner is ready.",
        ),
        ("remind the kids to brush their teeth", "When should I remind you?"),
        ("remind me tomorrow to call mum", "I will remind you tomorrow at 9:00 AM: call mum."),
    ])
    .await;
}
